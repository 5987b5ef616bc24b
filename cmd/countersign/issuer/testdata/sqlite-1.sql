-- What version 1 of the schema left behind: written by the program of that version, dumped by SQLite.
BEGIN TRANSACTION;
CREATE TABLE countersign_schema (version INTEGER NOT NULL) STRICT;
INSERT INTO "countersign_schema" VALUES(1);
CREATE TABLE records (
		sequence INTEGER PRIMARY KEY,
		revision INTEGER NOT NULL,
		kind     TEXT    NOT NULL,
		pool     TEXT    NOT NULL,
		id       TEXT    NOT NULL,
		body     BLOB,
		checksum INTEGER NOT NULL,
		UNIQUE (kind, pool, id)
	) STRICT;
INSERT INTO "records" VALUES(1,1,'pool','p','p',X'7B226E223A317D',2252686162);
INSERT INTO "records" VALUES(2,1,'client','p','kept',X'013F97C57BAA0152AF8B6C4B6EFD0D0717B1913611F49A9C8306452A3CDC37540850F5FB4777B61E4C60B45E89A7AD',4220782130);
INSERT INTO "records" VALUES(4,2,'client','p','gone',NULL,1149411715);
INSERT INTO "records" VALUES(5,2,'key','p','k',X'013F97C57BB72D04D6722FC1C7F56F087A04809A6F072905D8ABFA98B7664DC6E292C787C96E5CF9EFDF406E',3535811803);
CREATE TABLE store (
		one      INTEGER PRIMARY KEY CHECK (one = 1),
		revision INTEGER NOT NULL,
		key_id   TEXT    NOT NULL
	) STRICT;
INSERT INTO "store" VALUES(1,2,'3f97c57b');
CREATE INDEX records_by_revision ON records (revision);
COMMIT;
