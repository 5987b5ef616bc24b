package cost_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/cost"
)

// clock is a time that a test moves.
type clock struct{ now time.Time }

func (c *clock) read() time.Time { return c.now }

func newMeter(t *testing.T, dir, instance string, c *clock) *cost.Meter {
	t.Helper()
	m, err := cost.NewMeter(cost.MeterConfig{
		Dir: dir, Instance: instance, Now: c.read,
		Describe: func(_, client string) (string, time.Duration) {
			if client == "gone" {
				return "", 0
			}
			return "the " + client, time.Hour
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func flush(t *testing.T, m *cost.Meter) {
	t.Helper()
	if err := m.Flush(); err != nil {
		t.Fatal(err)
	}
}

func TestMeter(t *testing.T) {
	dir, now := t.TempDir(), &clock{time.Date(2026, 11, 30, 23, 59, 0, 0, time.UTC)}
	one := newMeter(t, dir, "one", now)
	var callers sync.WaitGroup
	for range 100 {
		callers.Go(func() { one.Count("pool", "reader") })
	}
	callers.Wait()
	one.Count("pool", "gone")
	flush(t, one)
	// The process ends and begins again; another one counts beside it.
	one = newMeter(t, dir, "one", now)
	one.Count("pool", "reader")
	flush(t, one)
	two := newMeter(t, dir, "two", now)
	two.Count("pool", "reader")
	// The month ends: what was not written yet is.
	now.now = now.now.Add(time.Hour)
	two.Count("pool", "reader")
	flush(t, two)

	november, err := cost.Read(dir, "2026-11")
	if err != nil || len(november.Clients) != 2 {
		t.Fatalf("%+v, %v", november, err)
	}
	reader := november.Clients[1]
	if reader.Name != "the reader" || reader.Life != 3600 || reader.Tokens() != 102 || reader.Days["2026-11-30"][23] != 102 {
		t.Errorf("got %+v", reader)
	}
	december, err := cost.Read(dir, "2026-12")
	if err != nil || len(december.Clients) != 1 || december.Clients[0].Tokens() != 1 {
		t.Errorf("%+v, %v", december, err)
	}
	if empty, err := cost.Read(dir, "2027-01"); err != nil || len(empty.Clients) != 0 {
		t.Errorf("%+v, %v", empty, err)
	}
}

// TestAFloodOfClientsIsBounded: clients are made by whoever may call the JSON API, thousands of them in a test run.
func TestAFloodOfClientsIsBounded(t *testing.T) {
	dir, now := t.TempDir(), &clock{time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	m := newMeter(t, dir, "one", now)
	for i := range 10100 {
		m.Count("pool", fmt.Sprint("client", i))
	}
	flush(t, m)
	usage, err := cost.Read(dir, "2026-11")
	if err != nil || len(usage.Clients) != 10001 || usage.Clients[0].ID != "other" || usage.Clients[0].Tokens() != 100 {
		t.Errorf("%d clients, %v", len(usage.Clients), err)
	}
}

// TestTheEndOfAMonth: a disk that fails at its end loses nothing, and older counts never replace newer ones.
func TestTheEndOfAMonth(t *testing.T) {
	dir, now := t.TempDir(), &clock{time.Date(2026, 11, 30, 23, 59, 0, 0, time.UTC)}
	m := newMeter(t, dir, "one", now)
	m.Count("pool", "reader")
	flush(t, m)
	m.Count("pool", "reader")
	path := filepath.Join(dir, "2026-11-one.json")
	if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700)); err != nil {
		t.Fatal(err)
	}
	now.now = now.now.Add(time.Hour)
	m.Count("pool", "reader")
	if err := m.Flush(); err == nil {
		t.Error("a month that cannot be written is no error")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	flush(t, m)
	for month, want := range map[string]uint64{"2026-11": 2, "2026-12": 1} {
		if usage, err := cost.Read(dir, month); err != nil || len(usage.Clients) != 1 || usage.Clients[0].Tokens() != want || usage.Clients[0].Name != "the reader" {
			t.Errorf("%s: %+v, %v; want %d tokens", month, usage, err, want)
		}
	}
}

// TestAClockThatJumps: into another month and back, twice, in which nothing that was counted is written over.
func TestAClockThatJumps(t *testing.T) {
	dir, now := t.TempDir(), &clock{time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	m := newMeter(t, dir, "one", now)
	for range 3 {
		m.Count("pool", "reader")
		flush(t, m)
		m.Count("pool", "reader")
		now.now = now.now.AddDate(0, 1, 0)
		m.Count("pool", "reader")
		flush(t, m)
		now.now = now.now.AddDate(0, -1, 0)
	}
	for month, want := range map[string]uint64{"2026-11": 6, "2026-12": 3} {
		if usage, err := cost.Read(dir, month); err != nil || len(usage.Clients) != 1 || usage.Clients[0].Tokens() != want {
			t.Errorf("%s: %+v, %v; want %d tokens", month, usage, err, want)
		}
	}
}

// TestAWriteAMinute: never one a token.
func TestAWriteAMinute(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		m, err := cost.NewMeter(cost.MeterConfig{Dir: dir, Instance: "one"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var problems []error
		done := make(chan struct{})
		go func() { defer close(done); m.Run(ctx, func(err error) { problems = append(problems, err) }) }()
		path := filepath.Join(dir, "2000-01-one.json")
		for range 59 {
			m.Count("pool", "reader")
			time.Sleep(time.Second)
			if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
				t.Fatalf("written after less than a minute, %v", err)
			}
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
		m.Count("pool", "reader")
		stop()
		<-done
		if usage, err := cost.Read(dir, "2000-01"); err != nil || usage.Clients[0].Tokens() != 60 || len(problems) > 0 {
			t.Errorf("the last ones are lost: %+v, %v, %v", usage, err, problems)
		}
	})
}

func TestUsageThatCannotBeRead(t *testing.T) {
	dir, now := t.TempDir(), &clock{time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	if err := os.WriteFile(filepath.Join(dir, "2026-11-one.json"), []byte(`{"version":1,"month":"2026-1`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := cost.Read(dir, "2026-11"); err == nil || !strings.Contains(err.Error(), "is no usage of 2026-11") {
		t.Error(err)
	}
	if _, err := cost.NewMeter(cost.MeterConfig{Dir: dir, Instance: "one", Now: now.read}); err == nil || !strings.Contains(err.Error(), "is no usage of 2026-11 that this program knows") {
		t.Errorf("a meter begins over a file that it cannot read: %v", err)
	}
	if _, err := cost.Read(filepath.Join(dir, "none"), "2026-11"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	for _, month := range []string{"", "2026", "2026-13", "../2026-11"} {
		if _, err := cost.Read(dir, month); err == nil || !strings.Contains(err.Error(), "is no month") {
			t.Errorf("%q: %v", month, err)
		}
	}
}

// month is a client that asks for n tokens in each of the hours of each of the days.
func month(id string, life time.Duration, days, hours int, n uint64) cost.Client {
	c := cost.Client{Pool: "pool", ID: id, Life: int(life.Seconds()), Days: map[string]cost.Day{}}
	for d := range days {
		var day cost.Day
		for h := range hours {
			day[h] = n
		}
		c.Days[fmt.Sprintf("2026-11-%02d", d+1)] = day
	}
	return c
}

func TestBill(t *testing.T) {
	prices := cost.Prices{
		Date: "2025-05-01", Currency: "USD", ClientMonth: 6,
		Tokens: []cost.Step{{UpTo: 10000, Per1000: 2}, {Per1000: 1}},
	}
	for _, tt := range []struct {
		name    string
		client  cost.Client
		tokens  uint64
		perLife float64
		cost    float64
		broken  bool
	}{
		{"one process with a cache", month("a", time.Hour, 30, 24, 1), 720, 1, 6 + 1.44, false},
		{"ten with one", month("a", time.Hour, 30, 24, 10), 7200, 10, 6 + 14.4, false},
		{"one without", month("a", time.Hour, 30, 24, 3600), 2592000, 3600, 6 + 20 + 2582, true},
		{"tokens of a day, asked for once a day", month("a", 24*time.Hour, 30, 1, 1), 30, 1, 6 + .06, false},
		{"tokens of five minutes, with a cache", month("a", 5*time.Minute, 30, 24, 12), 8640, 1, 6 + 17.28, false},
		{"an hour a day", month("a", time.Hour, 15, 1, 2), 30, 2, 3 + .06, false},
		{"a flood in one hour", month("a", time.Hour, 1, 1, 1000), 1000, 1000, .2 + 2, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := cost.MakeBill(cost.Usage{Month: "2026-11", Clients: []cost.Client{tt.client}}, prices, 10)
			row := b.Rows[0]
			if row.Tokens != tt.tokens || row.PerLife != tt.perLife || row.Cost != tt.cost || row.Broken != tt.broken || b.Total != tt.cost || b.Tokens != tt.tokens {
				t.Errorf("got %+v\nwant %+v", b, tt)
			}
			if slices.Contains(b.Warnings, "a") != tt.broken {
				t.Errorf("warnings %q", b.Warnings)
			}
		})
	}
	// The steps are those of all clients together.
	both := cost.MakeBill(cost.Usage{Month: "2026-11", Clients: []cost.Client{month("a", time.Hour, 1, 1, 15000), month("b", time.Hour, 1, 1, 5000)}}, prices, 10)
	if both.Total != 30.4 || both.Rows[0].Cost != 22.7 || both.Rows[1].Cost != 7.7 || both.Clients != 2 {
		t.Errorf("got %+v", both)
	}
}

// TestOldPrices: prices of more than a year before the month are said to be that; those of a later day are not.
func TestOldPrices(t *testing.T) {
	for date, want := range map[string]bool{"2025-05-01": true, "2025-10-31": true, "2025-11-01": false, "2026-11-23": false, "2027-01-01": false} {
		if b := cost.MakeBill(cost.Usage{Month: "2026-11"}, cost.Prices{Date: date, Source: "a list"}, 10); b.Stale != want || b.Source != "a list" {
			t.Errorf("prices of %s for 2026-11: stale %v, source %q", date, b.Stale, b.Source)
		}
	}
}

func TestPrices(t *testing.T) {
	p, err := cost.IncludedPrices()
	if err != nil || p.Date == "" || p.Source == "" || len(p.Tokens) == 0 || p.Tokens[0].Per1000 != 2.25 || p.ClientMonth != 6 {
		t.Errorf("%+v, %v", p, err)
	}
	for _, tt := range []struct{ name, text, want string }{
		{"no date", "currency: USD\ntokens: [{per1000: 1}]\n", ":1:1: want date, currency and tokens"},
		{"a date", "date: May\ncurrency: USD\ntokens: [{per1000: 1}]\n", ":1:7: date is not of the form"},
		{"an unknown key", "data: x\n", `:1:1: the key "data" is unknown`},
		{"an amount", "date: \"2025-05-01\"\ncurrency: USD\ntokens: [{per1000: free}]\n", ":3:11: want per1000, an amount"},
		{"a negative one", "date: \"2025-05-01\"\ncurrency: USD\nclientMonth: -1\ntokens: [{per1000: 1}]\n", ":3:14: clientMonth is no amount"},
		{"no last step", "date: \"2025-05-01\"\ncurrency: USD\ntokens: [{per1000: 1, upTo: 5}]\n", ":3:10: steps go up"},
		{"steps that go down", "date: \"2025-05-01\"\ncurrency: USD\ntokens: [{per1000: 1, upTo: 5}, {per1000: 1, upTo: 4}, {per1000: 1}]\n", ":3:33: steps go up"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "prices.yaml")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := cost.ReadPrices(path); err == nil || !strings.Contains(err.Error(), "prices.yaml"+tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
