package domain

import "time"

// SuppressionSource says how a number came onto the do-not-call list.
type SuppressionSource string

// The sources.
const (
	SuppressedByAPI     SuppressionSource = "api"
	SuppressedByCSV     SuppressionSource = "csv"
	SuppressedByWord    SuppressionSource = "word"    // the person said so in a call
	SuppressedByKey     SuppressionSource = "key"     // the person pressed a key in a call
	SuppressedByRefusal SuppressionSource = "refusal" // the far end refused a call as unwanted: 607, 608
	SuppressedByContact SuppressionSource = "contact" // the number of a contact is marked so
)

// Suppression is an entry of a do-not-call list. Each workspace has one list in
// each mode, and a number is on it once.
type Suppression struct {
	ID          ID
	WorkspaceID ID
	Mode        Mode
	Number      string // E.164
	Reason      string // for people, or ""
	Source      SuppressionSource
	CallID      ID // the call in which it was asked for, or ""
	CreatedAt   time.Time
}
