package domain

import "time"

// NoticeKind says what a notice is about.
type NoticeKind string

// The kinds of notices.
const (
	NoticeEndpointDisabled NoticeKind = "webhook.disabled"   // SubjectID is the endpoint's
	NoticeTrunkFailing     NoticeKind = "trunk.failing"      // SubjectID is the trunk's
	NoticeAbandonment      NoticeKind = "campaign.abandoned" // SubjectID is the campaign's
)

// Notice tells the people of a workspace what the system did on its own.
type Notice struct {
	ID          ID
	WorkspaceID ID
	Mode        Mode
	Kind        NoticeKind
	SubjectID   ID
	Text        string
	Version     int64
	CreatedAt   time.Time
	UpdatedAt   time.Time
}
