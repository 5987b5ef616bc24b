package cost

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/wholefile"
)

// Usage is what the app clients of one month asked for.
type Usage struct {
	Month   string // as 2026-11, in UTC
	Clients []Client
}

// Client is the use of one app client in one month.
type Client struct {
	Pool string         `json:"pool"`
	ID   string         `json:"client"`
	Name string         `json:"name,omitempty"`
	Life int            `json:"life"` // of its tokens, in seconds
	Days map[string]Day `json:"days"` // by day, such as 2026-11-23, in UTC
}

// Day is the number of tokens in each hour of a day.
type Day [24]uint64

// Tokens is the number of tokens of the month.
func (c Client) Tokens() (n uint64) {
	for _, day := range c.Days {
		for _, tokens := range day {
			n += tokens
		}
	}
	return n
}

// windows is the number of stretches of so many hours, from the first of the month on, in which there were tokens.
func (c Client) windows(hours int) int {
	used := map[int]bool{}
	for date, day := range c.Days {
		t, err := time.Parse(time.DateOnly, date)
		if err != nil {
			continue
		}
		for hour, tokens := range day {
			if tokens > 0 {
				used[((t.Day()-1)*24+hour)/hours] = true
			}
		}
	}
	return len(used)
}

// usageFile is a month of one process, as it is stored.
type usageFile struct {
	Version int      `json:"version"`
	Month   string   `json:"month"`
	Clients []Client `json:"clients"`

	path string
}

// maxUsage bounds the read of a file: ten thousand clients, each on each day of a month, have some 30 MB.
const maxUsage = 128 << 20

var monthPattern = regexp.MustCompile(`\A[0-9]{4}-(0[1-9]|1[0-2])\z`)

// Month is the month of a time.
func Month(t time.Time) string { return t.UTC().Format("2006-01") }

// Read returns what the files of a directory have for a month: those of all processes that counted into it.
func Read(dir, month string) (Usage, error) {
	if !monthPattern.MatchString(month) {
		return Usage{}, fmt.Errorf("cost: %q is no month; write it as 2026-11", month)
	}
	if _, err := os.Stat(dir); err != nil {
		return Usage{}, fmt.Errorf("cost: usage: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return Usage{}, fmt.Errorf("cost: usage: %w", err)
	}
	sum := map[[2]string]*Client{}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), month+"-") || !strings.HasSuffix(entry.Name(), ".json") {
			continue
		}
		file, err := readUsage(filepath.Join(dir, entry.Name()), month)
		if err != nil {
			return Usage{}, err
		}
		add(sum, file.Clients)
	}
	return Usage{Month: month, Clients: sorted(sum)}, nil
}

func readUsage(path, month string) (usageFile, error) {
	var file usageFile
	f, err := os.Open(path)
	if err != nil {
		return file, fmt.Errorf("cost: usage: %w", err)
	}
	defer f.Close()
	err = json.NewDecoder(io.LimitReader(f, maxUsage)).Decode(&file)
	if err != nil || file.Version != 1 || file.Month != month {
		return file, fmt.Errorf("cost: %s is no usage of %s that this program knows; move it away to begin anew", path, month)
	}
	return file, nil
}

// add sums the clients of a file into those of the others.
func add(sum map[[2]string]*Client, clients []Client) {
	for _, c := range clients {
		key := [2]string{c.Pool, c.ID}
		if sum[key] == nil {
			sum[key] = &Client{Pool: c.Pool, ID: c.ID, Days: map[string]Day{}}
		}
		into := sum[key]
		into.Name, into.Life = cmp.Or(c.Name, into.Name), cmp.Or(c.Life, into.Life)
		for date, day := range c.Days {
			total := into.Days[date]
			for hour, tokens := range day {
				total[hour] += tokens
			}
			into.Days[date] = total
		}
	}
}

func sorted(sum map[[2]string]*Client) []Client {
	all := make([]Client, 0, len(sum))
	for _, c := range sum {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b Client) int { return cmp.Or(cmp.Compare(a.Pool, b.Pool), cmp.Compare(a.ID, b.ID)) })
	return all
}

// write replaces the file as a whole: a count that is cut short would be worse than an old one.
func (u usageFile) write() error {
	content, err := json.Marshal(u)
	if err != nil {
		return err
	}
	return wholefile.Replace(u.path, append(content, '\n'), 0o600)
}
