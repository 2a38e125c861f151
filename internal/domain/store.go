package domain

import (
	"context"
	"time"
)

// Lane orders writers when the database is busy: the call before the dial, the
// dial before the API, the API before work in the background, which still gets
// at least a tenth.
type Lane int

// The lanes, most urgent first.
const (
	LaneCall Lane = iota
	LaneDial
	LaneAPI
	LaneBackground
)

// Store keeps everything. Closures must be repeatable: they may run more than
// once before one run is committed, so they do no I/O of their own and set what
// they return anew each time. A *Stores is valid inside its closure only.
//
// Closures of InTx that run at the same time, here and in other processes, do
// not come between one another: a row that one has read by its id is not changed
// (an object of a Collection: not deleted, and changed only where Version says
// so) and what one has counted does not grow by others who count too, before it
// ends. After an error of a write a closure can only return it.
type Store interface {
	// InTx runs fn in one transaction and returns after it is committed and on
	// disk. An error of fn rolls back what fn did and is returned as it is. When
	// the database cannot be written, the error has CodeUnavailable.
	InTx(ctx context.Context, lane Lane, fn func(ctx context.Context, s *Stores) error) error
	// View runs fn on one consistent, read-only snapshot.
	View(ctx context.Context, fn func(ctx context.Context, s *Stores) error) error
	// AfterCommit registers fn to be called, without blocking, after each commit
	// that touched the named table ("attempts", "deliveries", "jobs",
	// "suppressions"). It is a hint to look for work; polling is the truth.
	AfterCommit(table string, fn func())
}

// Buffer takes writes that nobody waits for, so that a call never waits for the
// database: what is put is committed soon, in order, once the database can be
// written.
type Buffer interface {
	// Put adds a write and never blocks; false means that the buffer is full and
	// the write was refused. fn must be repeatable, as the closures of Store are.
	// A write that fails for a reason of its own is logged and dropped.
	Put(fn func(ctx context.Context, s *Stores) error) bool
	// Flush returns when all that was put before it is committed or dropped, or
	// with ctx's error.
	Flush(ctx context.Context) error
}

// Stores is what one transaction can reach.
type Stores struct {
	Workspaces  Workspaces
	Keys        Keys
	KeyTraces   KeyTraces
	Usage       Usages
	Agents      Agents
	Flows       Flows
	Numbers     PhoneNumbers
	Trunks      Trunks
	Calls       Calls
	Attempts    Attempts
	Turns       Turns
	Events      Events
	Endpoints   Endpoints
	Notices     Collection[Notice]
	Deliveries  Deliveries
	Jobs        Jobs
	Idempotency Idempotency
	Nodes       Nodes
	Contacts    Contacts
	Variables   Collection[ContextVariable]
	Business    BusinessContext
	Suppressed  Suppressions
	Erasure     Erasure

	Appointments Appointments
	Uptimes      Uptimes
	Messages     Messages

	Campaigns  Campaigns
	Recipients Recipients
	Sheets     Sheets
	Dialing    Dialing
	Tries      Tries
	Breakers   Breakers
	Tallies    Tallies

	Acquaintances Acquaintances
}

// Collection keeps one kind of object. An object outside the scope is
// CodeNotFound, worded with the noun and id.
type Collection[T any] interface {
	// Create stores a new row. ID, times and Version 1 are the caller's to set.
	Create(ctx context.Context, row *T) error
	Get(ctx context.Context, in Scope, id ID) (*T, error)
	// List returns rows newest first (by id, descending).
	List(ctx context.Context, in Scope, page Page) ([]T, error)
	Count(ctx context.Context, in Scope) (int, error)
	// Update stores row where id, scope and Version are as given, and counts
	// Version up in row; another version is CodePrecondition.
	Update(ctx context.Context, row *T) error
	Delete(ctx context.Context, in Scope, id ID) error
}

// Workspaces keeps workspaces.
type Workspaces interface {
	Create(ctx context.Context, w *Workspace) error
	Get(ctx context.Context, id ID) (*Workspace, error)
	// Update stores all of a workspace but its credits where Version is as given,
	// and counts Version up in w; another version is CodePrecondition.
	Update(ctx context.Context, w *Workspace) error
	// SetCredits stores what a workspace may spend; nil is no limit.
	SetCredits(ctx context.Context, id ID, credits *Money) error
	// Charge takes an amount off a workspace's credits, if it has any set: of many
	// charges at once each one counts.
	Charge(ctx context.Context, id ID, amount Money) error
	// First returns the oldest workspace, or CodeNotFound when there is none.
	First(ctx context.Context) (*Workspace, error)
}

// Keys keeps API keys.
type Keys interface {
	Create(ctx context.Context, k *Key) error
	// ByID finds a key by the id that is part of its string, in any workspace.
	ByID(ctx context.Context, id ID) (*Key, error)
	// List returns a workspace's keys of one mode (of both for ""), newest first.
	List(ctx context.Context, workspace ID, mode Mode, page Page) ([]Key, error)
	Count(ctx context.Context, workspace ID, mode Mode) (int, error)
	// Update stores all of a key but its time of last use, and counts Version up.
	Update(ctx context.Context, k *Key) error
	// Delete removes a key and what is known of its use, but for its Usage.
	Delete(ctx context.Context, workspace, id ID) error
	// Touch notes the time of last use; it may be lost in a crash.
	Touch(ctx context.Context, id ID, at time.Time) error
}

// Agents keeps agents.
type Agents interface {
	Collection[Agent]
	// Use returns what the calls of agents add up to; those without calls are left
	// out.
	Use(ctx context.Context, in Scope, agents []ID) (map[ID]AgentUse, error)
}

// KeyTraces keeps from where keys are used, and what was refused to them.
type KeyTraces interface {
	// Seen adds addresses, or notes that they were used again, and forgets those
	// beyond the MaxKeyAddresses most recent ones of a key.
	Seen(ctx context.Context, seen ...KeyAddress) error
	// Failed adds to what was refused.
	Failed(ctx context.Context, failures ...KeyFailure) error
	Of(ctx context.Context, key ID) (*KeyTrace, error)
}

// Usages keeps what keys were used for.
type Usages interface {
	// Add adds to the counts of keys and days. It only inserts, so that nobody
	// waits for anybody; what was added counts at once.
	Add(ctx context.Context, more ...Usage) error
	// Fold puts up to limit additions into the sums of their days, and returns how
	// many that were. It changes no figure that can be read.
	Fold(ctx context.Context, limit int) (int, error)
	// List returns a page of the sums of keys and days, the last day first, and
	// how many there are.
	List(ctx context.Context, in Scope, f UsageFilter, page Page) ([]Usage, int, error)
	// Days returns the sums of days over all keys of the filter, the last day
	// first; days on which nothing happened are left out.
	Days(ctx context.Context, in Scope, f UsageFilter) ([]Usage, error)
}

// Flows keeps flows and every version of them that was saved.
type Flows interface {
	Collection[Flow]
	// Version returns the flow as it was at version, also after it was deleted.
	Version(ctx context.Context, in Scope, id ID, version int64) (*Flow, error)
}

// Trunks keeps trunks.
type Trunks interface {
	Collection[Trunk]
	// All returns the trunks of all workspaces and modes, oldest first; for the
	// engine only.
	All(ctx context.Context) ([]Trunk, error)
}

// PhoneNumbers keeps the workspace's own numbers.
type PhoneNumbers interface {
	Collection[PhoneNumber]
	// ByNumber finds a number on a trunk's workspace and mode.
	ByNumber(ctx context.Context, in Scope, number string) (*PhoneNumber, error)
}

// Appointments keeps appointments.
type Appointments interface {
	Collection[Appointment]
	// Find returns the appointments that the filter lets through in the order in
	// which they begin, and the exact number of all of them.
	Find(ctx context.Context, in Scope, f AppointmentFilter, page Page) ([]Appointment, int, error)
	// Taken returns appointments that take time between from and to, in the order
	// in which they begin: cancelled ones do not. A limit of 0 is none.
	Taken(ctx context.Context, in Scope, from, to time.Time, limit int) ([]Appointment, error)
}

// Calls keeps calls.
type Calls interface {
	Create(ctx context.Context, calls ...*Call) error
	Get(ctx context.Context, in Scope, id ID) (*Call, error)
	// ByID finds a call in any workspace; for the engine and its workers only.
	ByID(ctx context.Context, id ID) (*Call, error)
	// ByIDs is ByID for many calls, only to be read, in no order; those that there
	// are not are missing.
	ByIDs(ctx context.Context, ids []ID) ([]Call, error)
	// List returns calls newest first with the exact total of the filter.
	List(ctx context.Context, in Scope, f CallFilter, page Page) ([]Call, int, error)
	// Update stores all that may change in a call and counts its Version up. A
	// call that has already ended accepts no other State.
	Update(ctx context.Context, c *Call) error
	// Active counts calls of the workspace that were dialed or answered and are
	// not over. Where there may be most of them, what a transaction that adds one
	// is told holds until its end, or is most; 0 is only a count.
	Active(ctx context.Context, in Scope, most int) (int, error)
	// Fold takes up to limit of the changes that List adds up for its totals into
	// sums, and returns how many it took. Totals are exact without it, but cost
	// more. The store calls it by itself.
	Fold(ctx context.Context, limit int) (int, error)
}

// Attempts keeps tries to reach a number.
type Attempts interface {
	Create(ctx context.Context, attempts ...*Attempt) error
	Get(ctx context.Context, id ID) (*Attempt, error)
	ByCall(ctx context.Context, call ID) ([]Attempt, error)
	// Claim takes up to limit planned attempts that are due (or claimed ones
	// whose lease ran out), oldest NextAt first, marks them claimed by epoch until
	// lease, counts Claim up, and returns them with the time at which the next
	// one is due (zero: none waits).
	Claim(ctx context.Context, epoch ID, now time.Time, lease time.Duration, limit int) ([]Attempt, time.Time, error)
	// Update stores a where id and Claim are as given; another Claim is
	// CodeConflict: the attempt belongs to somebody else now.
	Update(ctx context.Context, a *Attempt) error
	// LiveTo counts attempts that dial number and are in intent, ringing or
	// answered. In a transaction nobody else dials the number before its end, so
	// that what Tries.Tried tells afterwards stays true.
	LiveTo(ctx context.Context, in Scope, number string) (int, error)
	// LiveOn counts attempts over trunk that are in intent, ringing or answered;
	// most is that of Calls.Active.
	LiveOn(ctx context.Context, trunk ID, most int) (int, error)
	// Orphans returns attempts in claimed, intent, ringing or answered that are
	// held by an epoch which is neither the given one nor a node (any more),
	// oldest first.
	Orphans(ctx context.Context, epoch ID, limit int) ([]Attempt, error)
}

// Turns keeps transcripts; rows are only ever added.
type Turns interface {
	Append(ctx context.Context, turns ...Turn) error
	ByCall(ctx context.Context, call ID) ([]Turn, error)
}

// Events keeps what happened.
type Events interface {
	// Append stores events of one call, or of none, and sets the Sequence of each
	// to the next of its call.
	Append(ctx context.Context, evs ...*Event) error
	ByCall(ctx context.Context, call ID) ([]Event, error)
}

// Endpoints keeps receivers of webhooks.
type Endpoints interface {
	Collection[Endpoint]
	// FailingSince returns since when each of the endpoints has had no success;
	// those that work are not in the map.
	FailingSince(ctx context.Context, ids ...ID) (map[ID]time.Time, error)
	// Failing notes since when an endpoint fails; the zero time says that it works.
	Failing(ctx context.Context, id ID, since time.Time) error
}

// Deliveries keeps events on their way to endpoints.
type Deliveries interface {
	Create(ctx context.Context, ds ...*Delivery) error
	Get(ctx context.Context, in Scope, id ID) (*Delivery, error)
	// Claim takes up to limit pending deliveries that are due and not leased,
	// counts Attempt up, and returns them with the time when the next one is due.
	// Deliveries to the endpoints in busy are passed over, in both results: one
	// slow receiver must not hold up the others.
	Claim(ctx context.Context, now time.Time, lease time.Duration, limit int, busy ...ID) ([]Delivery, time.Time, error)
	// Finish stores the outcome where id and Attempt are as given, and the try
	// that led to it; a delivery that was claimed again since is left alone.
	Finish(ctx context.Context, done ...Tried) error
	// ByEndpoint returns a page of the deliveries to an endpoint, newest first, and
	// how many the filter has in all.
	ByEndpoint(ctx context.Context, in Scope, endpoint ID, f DeliveryFilter, page Page) ([]Delivery, int, error)
	ByCall(ctx context.Context, in Scope, call ID) ([]Delivery, error)
	// Tries returns the tries of a delivery, oldest first.
	Tries(ctx context.Context, delivery ID) ([]Try, error)
	// Resend makes failed deliveries wait to be sent at now, with their schedule
	// from the start: the one named id, or, when that is "", up to limit of the
	// endpoint's that were created at since or later. It returns how many.
	Resend(ctx context.Context, in Scope, r Resend) (int, error)
}

// Tried is a delivery after a try, and the try; a Try without a Number says that
// there was none and the delivery is only given back.
type Tried struct {
	Delivery
	Try Try
}

// Resend says which failed deliveries are sent again.
type Resend struct {
	Endpoint ID
	ID       ID // one delivery, whatever its state; "" is all failed ones since Since
	Since    time.Time
	Now      time.Time
	Limit    int
}

// Jobs keeps work in the background.
type Jobs interface {
	Create(ctx context.Context, j *Job) error
	// Claim takes up to limit pending jobs of kind that are due and not leased.
	Claim(ctx context.Context, kind string, now time.Time, lease time.Duration, limit int) ([]Job, time.Time, error)
	// Finish stores the outcome where id and Attempt are as given.
	Finish(ctx context.Context, done ...Job) error
}

// Idempotency keeps answers to POSTs that carried an Idempotency-Key.
type Idempotency interface {
	// Get returns the stored answer, or CodeNotFound.
	Get(ctx context.Context, in Scope, keyID ID, key string) (*Idempotent, error)
	// Create stores an answer; a second one for the same key is CodeConflict.
	Create(ctx context.Context, i *Idempotent) error
	// Prune removes answers older than before.
	Prune(ctx context.Context, before time.Time) error
}

// Nodes keeps the runs of processes. All times are by the database's clock.
type Nodes interface {
	// Join stores a new node and sets its StartedAt and BeatAt.
	Join(ctx context.Context, n *Node) error
	// Beat notes a sign of life; CodeNotFound means that the node has left or was
	// taken for dead, and may not go on as if it held its calls.
	Beat(ctx context.Context, epoch ID) error
	// Hold returns nil when the epoch is a node whose last beat is no older than
	// lease, else CodeConflict. Nobody removes the node before the transaction ends.
	Hold(ctx context.Context, epoch ID, lease time.Duration) error
	// Expire removes the nodes whose last beat is older than lease and returns
	// their epochs: what these hold is nobody's.
	Expire(ctx context.Context, lease time.Duration) ([]ID, error)
	// Leave removes a node; one that is not there is no error.
	Leave(ctx context.Context, epoch ID) error
	// Interrupted returns attempts that ended as interrupted after since, because
	// their node died or could not wait for them; the latest first.
	Interrupted(ctx context.Context, since time.Time, limit int) ([]Attempt, error)
	// List returns all nodes, oldest first.
	List(ctx context.Context) ([]Node, error)
}

// Campaigns keeps campaigns and batches.
type Campaigns interface {
	Collection[Campaign]
	// Find returns campaigns newest first, and the number of all of them.
	Find(ctx context.Context, in Scope, f CampaignFilter, page Page) ([]Campaign, int, error)
	// Counts returns how far campaigns are; those without contacts are left out.
	Counts(ctx context.Context, ids ...ID) (map[ID]CampaignCounts, error)
}

// Sheets tells what a campaign looks like as a table.
type Sheets interface {
	// VariableNames returns up to limit names that variables of a campaign's
	// recipients have, sorted. It reads all of them.
	VariableNames(ctx context.Context, in Scope, campaign ID, limit int) ([]string, error)
}

// Recipients keeps the contacts of campaigns, and counts them by state.
type Recipients interface {
	// Add stores recipients of one campaign that are waiting, and passes over
	// those whose number it has already. It returns how many it stored.
	Add(ctx context.Context, rows []Recipient) (int, error)
	// Get returns a recipient of a campaign, to be changed.
	Get(ctx context.Context, in Scope, campaign, id ID) (*Recipient, error)
	// Update stores what may change in a recipient, and in more of its campaign,
	// all of which were in the state was. gain is added to the campaign's counts
	// once, beside the changes of state.
	Update(ctx context.Context, r *Recipient, was RecipientState, gain CampaignCounts, more ...*Recipient) error
	// List returns recipients in the order in which they were added, and the exact
	// number of all that the filter lets through.
	List(ctx context.Context, in Scope, campaign ID, f RecipientFilter, page Page) ([]Recipient, int, error)
	// Due takes up to limit recipients that wait and are due, oldest NextAt first,
	// to be changed; others pass them over until the transaction ends. It also
	// returns when the next one is due (zero: none waits).
	Due(ctx context.Context, campaign ID, now time.Time, limit int) ([]Recipient, time.Time, error)
	// Expire fails up to limit recipients that wait, for the given reason, and
	// returns how many.
	Expire(ctx context.Context, campaign ID, why string, at time.Time, limit int) (int, error)
	// Discard removes up to limit recipients that wait, and returns how many.
	Discard(ctx context.Context, campaign ID, limit int) (int, error)
	// Recent returns up to limit recipients that are finished, the last one first.
	Recent(ctx context.Context, campaign ID, limit int) ([]Recipient, error)
}

// Dialing is what the dialer asks and notes.
type Dialing interface {
	// Due returns up to limit campaigns that the dialer is to look at, the longest
	// due first, and when the next one is due (zero: none).
	Due(ctx context.Context, now time.Time, limit int) ([]Campaign, time.Time, error)
	// Plan returns a campaign as it stands and has other planners of it wait until
	// the transaction ends. It is not changed by others before that.
	Plan(ctx context.Context, campaign ID) (*Campaign, error)
	// Running returns a campaign as it stands; it is not changed before the
	// transaction ends. Many may do so at once.
	Running(ctx context.Context, campaign ID) (*Campaign, error)
	// Note stores when the dialer looks at a campaign next, and its StartedAt,
	// ResumedAt, State, PauseReason, FedUntil, RejudgeAt and EndedAt. Its Version stays.
	Note(ctx context.Context, c *Campaign) error
	// Wake has the dialer look at a campaign at the given time, if it would not do
	// so before.
	Wake(ctx context.Context, campaign ID, at time.Time) error
	// Rejudge has up to limit contacts of a campaign that wait for one of the reasons
	// since a time before at be due at that time, and returns how many.
	Rejudge(ctx context.Context, campaign ID, reasons []string, at time.Time, limit int) (int, error)
	// Planned counts attempts of a workspace, and over a trunk, that wait to be
	// dialed.
	Planned(ctx context.Context, in Scope, trunk ID) (workspace, on int, err error)
}
