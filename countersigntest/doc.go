// Package countersigntest tests a guarded service with really signed tokens, in the unit test.
//
// [NewIssuer] is the issuer of package cognito with its token endpoint, and [Issuer.Guard] the production guard that asks it for its
// keys; both run in the test's process, without a listener. [Issuer.As] is a client with a token, [Matrix] proves every
// route, and [Golden] keeps the policy in a file that reviewers see.
//
// It is not a mock: no function of it makes a guard accept anything. What passes here passes in production, and what
// production refuses is refused here. Start with [NewIssuer].
package countersigntest
