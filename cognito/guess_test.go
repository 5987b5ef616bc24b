package cognito_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/cognito"
)

// ask requests a token and returns how long the answer took.
func (f *fixture) ask(ctx context.Context, id string, secret cognito.Secret) (time.Duration, error) {
	start := time.Now()
	_, err := f.service.Token(ctx, cognito.TokenRequest{PoolID: f.pool, GrantType: "client_credentials", ClientID: id, ClientSecret: secret})
	return time.Since(start), err
}

// guessing is a fixture that holds answers back, on the bubble's clock.
func guessing(t *testing.T, run func(t *testing.T, f *fixture)) {
	rsaKeys() // outside: a key is made once for all tests
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.service = newService(t, cognito.Config{Store: f.store, GuessDelay: 2 * time.Second, Now: time.Now})
		run(t, f)
	})
}

// TestAStrangerCannotLockAClientOut: a thousand guesses wait, and the right secret does not.
func TestAStrangerCannotLockAClientOut(t *testing.T) {
	guessing(t, func(t *testing.T, f *fixture) {
		var strangers sync.WaitGroup
		for range 1000 {
			strangers.Go(func() { f.ask(t.Context(), f.reader.ClientID, "wrong-wrong-wrong-wrong-wrong") })
		}
		synctest.Wait()
		if took, err := f.ask(t.Context(), f.reader.ClientID, f.reader.ClientSecret); err != nil || took != 0 {
			t.Errorf("the right secret: %v after %v", err, took)
		}
		strangers.Wait()
	})
}

func TestWrongSecretsAreHeldBack(t *testing.T) {
	guessing(t, func(t *testing.T, f *fixture) {
		var total time.Duration
		for i := range 200 {
			took, err := f.ask(t.Context(), f.reader.ClientID, "wrong-wrong-wrong-wrong-wrong")
			if !errors.Is(err, &cognito.TokenError{Code: "invalid_client"}) {
				t.Fatal(err)
			}
			if i < 5 && took != 0 {
				t.Errorf("guess %d was held back for %v", i, took)
			}
			if took > 2*time.Second {
				t.Errorf("guess %d was held back for %v, longer than the longest", i, took)
			}
			total += took
		}
		if total < time.Minute {
			t.Errorf("200 guesses took %v", total)
		}
		// Another client is not held back, nor this one when it is quiet for a while.
		var others time.Duration
		for _, name := range []string{"a", "b", "c"} { // one may share its slot
			took, _ := f.ask(t.Context(), f.client(name, machine(readScope)).ClientID, "wrong-wrong-wrong-wrong-wrong")
			others += took
		}
		if others > 2*time.Second {
			t.Errorf("other clients were held back for %v", others)
		}
		time.Sleep(time.Minute)
		if took, _ := f.ask(t.Context(), f.reader.ClientID, "wrong-wrong-wrong-wrong-wrong"); took != 0 {
			t.Errorf("after a minute: held back for %v", took)
		}
	})
}

// TestTheWaitTellsNobodyWhichClientsExist: an unknown id is held back as a known one.
func TestTheWaitTellsNobodyWhichClientsExist(t *testing.T) {
	waits := map[string][]time.Duration{}
	for _, who := range []string{"known", "unknown"} {
		guessing(t, func(t *testing.T, f *fixture) {
			id := f.reader.ClientID
			if who == "unknown" {
				id = "nobody"
			}
			for range 50 {
				took, _ := f.ask(t.Context(), id, "wrong-wrong-wrong-wrong-wrong")
				waits[who] = append(waits[who], took)
			}
		})
	}
	if !slices.Equal(waits["known"], waits["unknown"]) {
		t.Errorf("the waits differ:\n%v\n%v", waits["known"], waits["unknown"])
	}
}

func TestWhoHangsUpIsNotWaitedFor(t *testing.T) {
	guessing(t, func(t *testing.T, f *fixture) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		for range 100 {
			f.ask(ctx, f.reader.ClientID, "wrong-wrong-wrong-wrong-wrong")
		}
		if ctx.Err() == nil {
			t.Error("100 guesses took less than 30 ms")
		}
	})
}

// TestUnknownClientsCostNothing: who asks for 100,000 ids fills no memory, although each is counted.
func TestUnknownClientsCostNothing(t *testing.T) {
	f := newFixture(t)
	f.service = newService(t, cognito.Config{Store: f.store, GuessDelay: 2 * time.Second, Now: time.Now})
	gone, cancel := context.WithCancel(t.Context())
	cancel() // or each would wait
	before := heap()
	for i := range 100_000 {
		if _, err := f.ask(gone, fmt.Sprint("nobody", i), "wrong-wrong-wrong-wrong-wrong"); !errors.Is(err, &cognito.TokenError{Code: "invalid_client"}) {
			t.Fatal(err)
		}
	}
	if grown := heap() - before; grown > 1<<20 {
		t.Errorf("the heap grew by %d KiB", grown>>10)
	}
	runtime.KeepAlive(f)
}

// TestNoDoorIsWithoutTheWait: who may not guess at one door goes to the next.
func TestNoDoorIsWithoutTheWait(t *testing.T) {
	const wrong = "wrong_wrong_wrong_wrong_wrong"
	for name, guess := range map[string]func(t *testing.T, f *fixture){
		"GetClientToken": func(t *testing.T, f *fixture) {
			_, err := f.service.GetClientToken(t.Context(), cognito.GetClientTokenInput{ClientID: f.reader.ClientID, Secret: wrong})
			wantAPIError(t, err, cognito.CodeNotAuthorized, "")
		},
		"RevokeToken": func(t *testing.T, f *fixture) {
			_, err := f.service.RevokeToken(t.Context(), cognito.RevokeTokenInput{Token: "whatever", ClientID: f.reader.ClientID, ClientSecret: wrong})
			wantAPIError(t, err, cognito.CodeUnauthorized, "")
		},
		"revocation endpoint": func(t *testing.T, f *fixture) {
			r := tokenRequest(f.pool, cognito.UserPoolClient{}, "token=whatever&client_id="+f.reader.ClientID+"&client_secret="+wrong)
			r.URL.Path = "/" + f.pool + "/oauth2/revoke"
			if res := (wire{t, cognito.Handler(f.service, cognito.HandlerConfig{})}).do(r); res.Code != 401 {
				t.Errorf("%d %s", res.Code, res.Body)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			guessing(t, func(t *testing.T, f *fixture) {
				start := time.Now()
				for range 50 {
					guess(t, f)
				}
				if took := time.Since(start); took < 10*time.Second {
					t.Errorf("50 guesses took %v", took)
				}
			})
		})
	}
}
