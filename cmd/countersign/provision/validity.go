package provision

import (
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// validity reads the life of a client's access tokens.
//
// Cognito: the default unit is hours, and the default life 1 hour.
func validity(c *types.UserPoolClientType) time.Duration {
	n := time.Duration(sdk.ToInt32(c.AccessTokenValidity))
	if n == 0 {
		return time.Hour
	}
	unit := types.TimeUnitsTypeHours
	if c.TokenValidityUnits != nil && c.TokenValidityUnits.AccessToken != "" {
		unit = c.TokenValidityUnits.AccessToken
	}
	switch unit {
	case types.TimeUnitsTypeSeconds:
		return n * time.Second
	case types.TimeUnitsTypeMinutes:
		return n * time.Minute
	case types.TimeUnitsTypeDays:
		return n * 24 * time.Hour
	}
	return n * time.Hour
}

// validityOf writes a life in the largest unit that says it exactly.
func validityOf(d time.Duration) (int32, types.TimeUnitsType) {
	switch {
	case d%time.Hour == 0:
		return int32(d / time.Hour), types.TimeUnitsTypeHours
	case d%time.Minute == 0:
		return int32(d / time.Minute), types.TimeUnitsTypeMinutes
	}
	return int32(d / time.Second), types.TimeUnitsTypeSeconds
}

// shortDuration writes 1h in place of 1h0m0s.
func shortDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
