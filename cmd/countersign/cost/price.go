package cost

import (
	_ "embed" // the prices that come with the program
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
)

// Prices are what Amazon Cognito bills for machines at a date.
type Prices struct {
	Date, Source, Currency string

	Tokens      []Step
	ClientMonth float64
}

// Step is a price that holds up to a number of tokens in a month; the last one has no end.
type Step struct {
	UpTo    uint64 // 0: without end
	Per1000 float64
}

//go:embed prices.yaml
var included []byte

// IncludedPrices are those that come with the program.
func IncludedPrices() (Prices, error) { return parsePrices("prices.yaml", included) }

// maxPrices bounds the read of a price file.
const maxPrices = 1 << 20

// ReadPrices reads a price file: YAML with date, currency, tokens and clientMonth.
func ReadPrices(path string) (Prices, error) {
	f, err := os.Open(path)
	if err != nil {
		return Prices{}, fmt.Errorf("cost: prices: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxPrices))
	if err != nil {
		return Prices{}, fmt.Errorf("cost: prices: %w", err)
	}
	return parsePrices(path, text)
}

func parsePrices(name string, text []byte) (p Prices, err error) {
	root, err := document.Parse(name, text)
	if err != nil {
		return p, err
	}
	var problems []error
	for _, m := range root.Members {
		switch m.Name {
		case "date":
			p.Date = m.Value.Text
			if _, err := time.Parse(time.DateOnly, p.Date); err != nil {
				problems = append(problems, m.Value.Place.Errorf("date is not of the form 2025-05-01"))
			}
		case "source":
			p.Source = m.Value.Text
		case "currency":
			p.Currency = m.Value.Text
		case "clientMonth":
			p.ClientMonth, err = amount(m)
			problems = append(problems, err)
		case "tokens":
			p.Tokens, err = steps(m)
			problems = append(problems, err)
		default:
			problems = append(problems, m.Place.Errorf("the key %s is unknown; known here: date, source, currency, tokens, clientMonth", document.Quote(m.Name)))
		}
	}
	if p.Date == "" || p.Currency == "" || len(p.Tokens) == 0 {
		problems = append(problems, root.Place.Errorf("want date, currency and tokens"))
	}
	return p, errors.Join(problems...)
}

func amount(m document.Member) (float64, error) {
	value, err := strconv.ParseFloat(m.Value.Text, 64)
	if m.Value.Kind != document.Number || err != nil || value < 0 {
		return 0, m.Value.Place.Errorf("%s is no amount of money", m.Name)
	}
	return value, nil
}

func steps(list document.Member) (all []Step, err error) {
	var last uint64
	for i, item := range list.Value.Items {
		var s Step
		for _, m := range item.Members {
			switch m.Name {
			case "per1000":
				s.Per1000, err = amount(m)
			case "upTo":
				s.UpTo, err = strconv.ParseUint(m.Value.Text, 10, 64)
			default:
				err = errors.New("unknown")
			}
			if err != nil {
				return nil, m.Place.Errorf("want per1000, an amount, and upTo, a number of tokens")
			}
		}
		end := i == len(list.Value.Items)-1
		if end != (s.UpTo == 0) || !end && s.UpTo <= last {
			return nil, item.Place.Errorf("steps go up, and the last one, and only that, has no upTo")
		}
		last = s.UpTo
		all = append(all, s)
	}
	return all, nil
}

// tokens is the price of a number of tokens in one month.
func (p Prices) tokens(n uint64) (sum float64) {
	var from uint64
	for _, s := range p.Tokens {
		upTo := s.UpTo
		if upTo == 0 || upTo > n {
			upTo = n
		}
		sum += float64(upTo-from) / 1000 * s.Per1000
		if from = upTo; from == n {
			break
		}
	}
	return sum
}
