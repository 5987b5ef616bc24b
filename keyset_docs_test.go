package countersign

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The numbers of docs/keys.md are those of the code.
func TestThePageAboutKeysHasTheNumbersOfTheCode(t *testing.T) {
	page, err := os.ReadFile("docs/keys.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(page)), " ")
	for _, want := range []string{
		fmt.Sprintf("at least %s and at most %s; %s without one", short(minKeyAge), short(maxKeyAge), short(defaultKeyAge)),
		fmt.Sprintf("after %s to %s; %s to %s without a max-age", short(minKeyAge*2/5), short(maxKeyAge/2), short(defaultKeyAge*2/5), short(defaultKeyAge/2)),
		fmt.Sprintf("discovery is read again | after %s,", short(discoveryAge)),
		fmt.Sprintf("one request to the issuer | at most %s,", short(fetchTimeout)),
		fmt.Sprintf("at most %d bytes of body and %d bytes of header", maxFetchBody, maxFetchHeader),
		fmt.Sprintf("redirects | at most %d,", maxFetchRedirect),
		fmt.Sprintf("waits for the first fetch, at most %s |", short(maxKeyWait)),
		fmt.Sprintf("at most %d requests wait;", maxWaiting),
		fmt.Sprintf("until %d attempts have failed", patientFailures),
		fmt.Sprintf("waits for one fetch, at most %s,", short(maxKeyWait)),
		fmt.Sprintf("| %d at once, and then one each %s |", missBurst, short(missInterval)),
		fmt.Sprintf("at most %d requests a minute from each process, after the first %d", time.Minute/missInterval, missBurst),
		fmt.Sprintf("is fetched %s later", short(missInterval)),
		fmt.Sprintf("within %s and one fetch under a flood; and within %s of its publication", short(missInterval), short(absentFor)),
		fmt.Sprintf("is not asked for again for %s |", short(absentFor)),
		fmt.Sprintf("at most %d for each issuer, of at most %d bytes", 2*maxAbsent, maxKeyID),
		fmt.Sprintf("serves for %s more", short(withdrawnGrace)),
		fmt.Sprintf("after 1s, 2s, 4s, 8s, 16s and then %s,", short(maxBackoff)),
		fmt.Sprintf("is honoured up to %s |", short(maxBackoff)),
		fmt.Sprintf("`MaxStale`, %s unless set, at least %s |", short(defaultMaxStale), short(minMaxStale)),
		fmt.Sprintf("age above %s |", short(maxKeyAge/2)),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("docs/keys.md does not say: %s", want)
		}
	}
	for n, want := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
		if got := backoff(n+1, nil); got < want*time.Second/2 || got > want*time.Second {
			t.Errorf("backoff after %d failures is %v, want %v or down to half of it", n+1, got, want*time.Second)
		}
	}
}

// short writes a duration without the units that are zero.
func short(d time.Duration) string {
	return regexp.MustCompile(`([hm])0[ms](0s)?$`).ReplaceAllString(d.String(), "$1")
}
