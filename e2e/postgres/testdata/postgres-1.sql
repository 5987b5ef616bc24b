-- What version 1 of the schema left behind: written by the program of that version, dumped by pg_dump.
CREATE TABLE countersign_commits (
    slot integer NOT NULL,
    revision bigint NOT NULL
);
CREATE TABLE countersign_records (
    kind text NOT NULL COLLATE pg_catalog."C",
    pool text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    revision bigint NOT NULL,
    "position" integer NOT NULL,
    body bytea,
    checksum bigint NOT NULL
);
CREATE TABLE countersign_store (
    one boolean NOT NULL,
    version integer NOT NULL,
    revision bigint NOT NULL,
    commits bigint NOT NULL,
    key_id text NOT NULL,
    CONSTRAINT countersign_store_one_check CHECK (one)
);
INSERT INTO countersign_commits VALUES (1, 15902497);
INSERT INTO countersign_commits VALUES (2, 30326521);
INSERT INTO countersign_records VALUES ('pool', 'p', 'p', 15902497, 0, '\x7b226e223a317d', 1431467694);
INSERT INTO countersign_records VALUES ('client', 'p', 'kept', 15902497, 1, '\x013f97c57b8b6b7e15c6ebf07a472bf6985793c0d62088ed4a00230df2442c5dcbe59c218217718e2410ddef3a3ae0', 2946813338);
INSERT INTO countersign_records VALUES ('client', 'p', 'gone', 30326521, 0, NULL, 876716931);
INSERT INTO countersign_records VALUES ('key', 'p', 'k', 30326521, 1, '\x013f97c57b46a8a134a145b31d071cadee9879f96c3e71211f15e76397c3908e9cdfa9ea5c4fae0a5494f011', 1952913835);
INSERT INTO countersign_store VALUES (true, 1, 30326521, 2, '3f97c57b');
ALTER TABLE ONLY countersign_commits
    ADD CONSTRAINT countersign_commits_pkey PRIMARY KEY (slot);
ALTER TABLE ONLY countersign_commits
    ADD CONSTRAINT countersign_commits_revision_key UNIQUE (revision);
ALTER TABLE ONLY countersign_records
    ADD CONSTRAINT countersign_records_pkey PRIMARY KEY (kind, pool, id);
ALTER TABLE ONLY countersign_store
    ADD CONSTRAINT countersign_store_pkey PRIMARY KEY (one);
CREATE INDEX countersign_records_by_revision ON countersign_records USING btree (revision, "position");
