package domain

import "time"

// JobAnalysis is the kind of the job that analyses a call.
const JobAnalysis = "analysis"

// JobState is where a background job stands.
type JobState string

// The states of a job.
const (
	JobPending JobState = "pending"
	JobDone    JobState = "done"
	JobFailed  JobState = "failed"
)

// Job is background work on one object, committed with the change that needs it.
type Job struct {
	ID          ID
	WorkspaceID ID
	Mode        Mode
	Kind        string // JobAnalysis …
	Subject     ID     // the object to work on
	State       JobState
	NextAt      time.Time
	LeaseUntil  time.Time
	Attempt     int64 // tries so far; also the fence
	Error       string
	CreatedAt   time.Time
}
