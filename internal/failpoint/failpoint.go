// Package failpoint names the moments at which a process must be able to die
// without harm, so that tests can have it die there.
//
// In a usual build a point is an empty function that the compiler leaves out.
// Built with "-tags failpoint", a program reads the variable CALLWRIGHT_FAILPOINT,
// "name" or "name:n", and ends itself with SIGKILL when it comes to that point
// for the n-th time (the first, without n): nothing is flushed, and nobody is
// told.
package failpoint

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Variable is the environment variable that says where to die.
const Variable = "CALLWRIGHT_FAILPOINT"

// Name is a moment.
type Name string

// The moments, in the order in which a call passes them. Each is passed at one
// place of the code.
const (
	DuringMigration    Name = "during-migration"     // between two versions of the tables
	BeforeClaimCommit  Name = "before-claim-commit"  // attempts are claimed, but the transaction is open
	AfterClaimCommit   Name = "after-claim-commit"   // they are held by this process
	BeforeIntentCommit Name = "before-intent-commit" // the intent is written, but the transaction is open
	AfterIntentCommit  Name = "after-intent-commit"  // an INVITE is about to be sent
	AfterInviteSent    Name = "after-invite-sent"    // it has left
	After100           Name = "after-100"            // the next hop has it
	After18x           Name = "after-18x"            // the far end rings
	After2xxBeforeACK  Name = "after-2xx-before-ack" // the far end answered, and does not know yet that we heard
	AfterACK           Name = "after-ack"            // it knows
	MidMedia           Name = "mid-media"            // sound goes both ways
	AfterBYE           Name = "after-bye"            // the call is over, but not in the database
	AfterFinish        Name = "after-finish"         // it is, and its webhooks wait
	DuringImport       Name = "csv-import-batch"     // a part of a sheet of contacts is stored, and others are not
)

// Names are all moments.
func Names() []Name {
	return []Name{
		DuringMigration, BeforeClaimCommit, AfterClaimCommit, BeforeIntentCommit, AfterIntentCommit,
		AfterInviteSent, After100, After18x, After2xxBeforeACK, AfterACK, MidMedia, AfterBYE, AfterFinish, DuringImport,
	}
}

// parse reads the variable's value. An empty one is no point.
func parse(value string) (name Name, hit int64, err error) {
	if value == "" {
		return "", 0, nil
	}
	word, times, given := strings.Cut(value, ":")
	if !slices.Contains(Names(), Name(word)) {
		return "", 0, fmt.Errorf("%s names the point %q; the points are %v", Variable, word, Names())
	}
	hit = 1
	if given {
		if hit, err = strconv.ParseInt(times, 10, 64); err != nil || hit < 1 {
			return "", 0, fmt.Errorf("%s=%s: after the colon stands which time counts, 1 or more", Variable, value)
		}
	}
	return Name(word), hit, nil
}
