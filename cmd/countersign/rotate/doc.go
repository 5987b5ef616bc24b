// Package rotate replaces the secret of an app client while its service runs: the new one is stored before it is Cognito's,
// the first that clients try once it works, and the old one is taken away when every reader has had time to see the new.
//
// Each step is decided by what is stored and what Cognito lists, and by nothing else. A rotation that was cut off anywhere
// is taken up by the next run, and at each moment the stored credential works. Start with [Run].
package rotate
