package sip

import "github.com/callwright/callwright/internal/sip/guard"

// Admission says what is done with what a source sends on its own account; see
// Options.Admit.
type Admission = guard.Admission

// What a source may be.
const (
	Serve  = guard.Serve  // a known peer, such as a trunk: served, at the rate of peers
	Guest  = guard.Guest  // anybody else who is served, at the rate of strangers
	Refuse = guard.Refuse // requests are answered 403, at the rate of strangers
	Drop   = guard.Drop   // nothing is answered: there seems to be no SIP here
)

// Limits bound what sources can make the user agent do; see Options.Limits.
type Limits = guard.Limits
