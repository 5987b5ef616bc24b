// Package dev is the local system of `countersign dev`: the issuer, the demo service, the edge in front of it and the
// console, in one process over one state directory, and what the other commands need to find and use it.
//
// [Start] brings the system up; [Find] and [Wait] are for a second process that talks to it.
package dev
