package countersign

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// The environment variables that [ConfigFromEnv] reads. None of them loosens a check: that takes a line of code.
const (
	envIssuer     = "COUNTERSIGN_ISSUER"
	envResource   = "COUNTERSIGN_RESOURCE"
	envAudience   = "COUNTERSIGN_AUDIENCE"
	envProfile    = "COUNTERSIGN_PROFILE"
	envAlgorithms = "COUNTERSIGN_ALGORITHMS" // separated by commas
	envClientIDs  = "COUNTERSIGN_CLIENT_IDS" // separated by commas
	envKeysURL    = "COUNTERSIGN_KEYS_URL"
	envKeysFile   = "COUNTERSIGN_KEYS_FILE"
	envLastGood   = "COUNTERSIGN_LAST_GOOD_FILE"
	envLeeway     = "COUNTERSIGN_LEEWAY"    // as time.ParseDuration takes it
	envMaxStale   = "COUNTERSIGN_MAX_STALE" // as time.ParseDuration takes it
)

// ConfigFromEnv returns the [Config] that the environment describes: COUNTERSIGN_ISSUER and COUNTERSIGN_RESOURCE,
// which are required, and COUNTERSIGN_AUDIENCE, COUNTERSIGN_PROFILE, COUNTERSIGN_ALGORITHMS, COUNTERSIGN_CLIENT_IDS,
// COUNTERSIGN_KEYS_URL, COUNTERSIGN_KEYS_FILE, COUNTERSIGN_LAST_GOOD_FILE, COUNTERSIGN_LEEWAY and COUNTERSIGN_MAX_STALE for the
// fields of those names. The error names every variable that is missing or wrong; what only [New] can judge is left to New.
func ConfigFromEnv() (Config, error) {
	var problems []error
	required := func(name, example string) string {
		value := os.Getenv(name)
		if value == "" {
			problems = append(problems, fmt.Errorf("countersign: %s is not set; it is such as %s", name, example))
		}
		return value
	}
	duration := func(name string) time.Duration {
		value := os.Getenv(name)
		if value == "" {
			return 0
		}
		d, err := time.ParseDuration(value)
		if err != nil || d <= 0 {
			problems = append(problems, fmt.Errorf("countersign: %s is not a duration above zero, such as 90s", name))
		}
		return d
	}
	c := Config{
		Issuer:       required(envIssuer, "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123"),
		Resource:     required(envResource, "https://api.example.com"),
		Audience:     os.Getenv(envAudience),
		Profile:      Profile(os.Getenv(envProfile)),
		Algorithms:   list(envAlgorithms),
		ClientIDs:    list(envClientIDs),
		KeysURL:      os.Getenv(envKeysURL),
		KeysFile:     os.Getenv(envKeysFile),
		LastGoodFile: os.Getenv(envLastGood),
		Leeway:       duration(envLeeway),
		MaxStale:     duration(envMaxStale),
	}
	if len(problems) > 0 {
		return Config{}, errors.Join(problems...)
	}
	return c, nil
}

// list splits a variable at its commas. One that is set and empty gives an element that New refuses, so that a list
// of clients that came out empty does not become "all".
func list(name string) []string {
	value, set := os.LookupEnv(name)
	if !set {
		return nil
	}
	elements := strings.Split(value, ",")
	for i := range elements {
		elements[i] = strings.TrimSpace(elements[i])
	}
	return elements
}
