package cost

import (
	"maps"
	"math"
	"slices"
	"time"
)

// Bill is a month as Amazon Cognito would bill it.
type Bill struct {
	Month    string   `json:"month"`
	Currency string   `json:"currency"`
	Prices   string   `json:"prices"` // their date
	Source   string   `json:"source"` // where they are from
	Stale    bool     `json:"stale"`  // they are more than a year older than the month
	Tokens   uint64   `json:"tokens"`
	Clients  int      `json:"clients"`
	Total    float64  `json:"total"`
	Rows     []Row    `json:"rows"`
	ByDay    []DayRow `json:"byDay"`
	Warnings []string `json:"warnings"` // ids of clients whose cache is broken
}

// Row is one app client of a [Bill].
type Row struct {
	Pool   string  `json:"pool"`
	Client string  `json:"client"`
	Name   string  `json:"name"`
	Days   int     `json:"days"` // on which it asked for a token
	Tokens uint64  `json:"tokens"`
	Cost   float64 `json:"cost"`

	// PerLife is how many tokens it asked for in the life of one, on average over the time in which it asked for any. That is how
	// many processes the client would be, if each cached its token.
	PerLife float64 `json:"perLife"`
	// Broken says that it is far more than that.
	Broken bool `json:"broken"`
}

// DayRow is one day of a [Bill], in UTC, on which somebody asked for a token.
type DayRow struct {
	Date    string `json:"date"` // as 2026-11-23
	Clients int    `json:"clients"`
	Tokens  uint64 `json:"tokens"`
}

// byDay sums the clients of each day, in the order of the days.
func byDay(clients []Client) []DayRow {
	days := map[string]*DayRow{}
	for _, c := range clients {
		for date, hours := range c.Days {
			tokens := Client{Days: map[string]Day{date: hours}}.Tokens()
			if tokens == 0 {
				continue
			}
			if days[date] == nil {
				days[date] = &DayRow{Date: date}
			}
			days[date].Clients++
			days[date].Tokens += tokens
		}
	}
	rows := []DayRow{}
	for _, date := range slices.Sorted(maps.Keys(days)) {
		rows = append(rows, *days[date])
	}
	return rows
}

// stale says whether prices of that date are more than a year older than the month.
func stale(date, month string) bool {
	of, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return false
	}
	first, err := time.Parse("2006-01", month)
	return err == nil && of.AddDate(1, 0, 0).Before(first)
}

// MakeBill prices the usage of a month. A client that asks for more tokens in the life of one than processes has a cache that
// does not work.
func MakeBill(u Usage, p Prices, processes int) Bill {
	b := Bill{Month: u.Month, Currency: p.Currency, Prices: p.Date, Source: p.Source, Stale: stale(p.Date, u.Month), Rows: []Row{}, Warnings: []string{}}
	days := daysOf(u.Month)
	for _, c := range u.Clients {
		b.Tokens += c.Tokens()
	}
	// The steps hold for all clients together: each bears its part of the sum.
	total := p.tokens(b.Tokens)
	for _, c := range u.Clients {
		row := Row{Pool: c.Pool, Client: c.ID, Name: c.Name, Days: len(c.Days), Tokens: c.Tokens(), PerLife: round(c.perLife())}
		if row.Tokens == 0 {
			continue
		}
		row.Cost = round(total*float64(row.Tokens)/float64(b.Tokens) + p.ClientMonth*float64(row.Days)/float64(days))
		if row.Broken = row.PerLife > float64(processes); row.Broken {
			b.Warnings = append(b.Warnings, c.ID)
		}
		b.Clients++
		b.Total += row.Cost
		b.Rows = append(b.Rows, row)
	}
	b.Total = round(b.Total)
	b.ByDay = byDay(u.Clients)
	return b
}

// perLife: see [Row]. An hour is the finest that is counted: of tokens that live shorter, several lives fit into one.
func (c Client) perLife() float64 {
	if c.Life <= 0 {
		return 0
	}
	hours := max(1, c.Life/3600)
	lives := float64(c.windows(hours)) * float64(hours) * 3600 / float64(c.Life)
	return float64(c.Tokens()) / max(1, lives)
}

func daysOf(month string) int {
	first, err := time.Parse("2006-01", month)
	if err != nil {
		return 30
	}
	return first.AddDate(0, 1, -1).Day()
}

func round(x float64) float64 { return math.Round(x*100) / 100 }
