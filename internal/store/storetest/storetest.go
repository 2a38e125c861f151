// Package storetest proves that a domain.Store keeps what its contract
// promises: the conformance suite of every database.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// Exercise runs the suite; open returns an empty store that runs so many writing
// closures at once. Every closure that writes is run twice, first to be rolled
// back, so that what one leaves behind where it must not shows.
func Exercise(t *testing.T, writers int, open func(t *testing.T) domain.Store) {
	for name, exercise := range map[string]func(*testing.T, *bench){
		"Workspaces":         workspaces,
		"Tallies":            tallies,
		"Talks":              talks,
		"Credits":            credits,
		"Keys":               keys,
		"KeyTraces":          keyTraces,
		"Usage":              usage,
		"Agents":             agents,
		"AgentUse":           agentUse,
		"Trunks":             trunks,
		"Endpoints":          endpoints,
		"Flows":              flows,
		"Numbers":            numbers,
		"Appointments":       appointments,
		"AppointmentsFind":   appointmentsFind,
		"AppointmentsTaken":  appointmentsTaken,
		"Calls":              calls,
		"CallsList":          callsList,
		"CallsWhatDiffers":   callsWhatDiffers,
		"CallsUpdate":        callsUpdate,
		"AttemptsClaim":      attemptsClaim,
		"AttemptsOneLive":    attemptsOneLive,
		"AttemptsOrphans":    attemptsOrphans,
		"NodesInterrupted":   nodesInterrupted,
		"Turns":              turns,
		"Nodes":              nodes,
		"EventsSequence":     eventsSequence,
		"EventsTogether":     eventsTogether,
		"Deliveries":         deliveries,
		"DeliveriesHidden":   deliveriesHidden,
		"EndpointsFailing":   failing,
		"Notices":            notices,
		"Jobs":               jobs,
		"Idempotency":        idempotency,
		"Uptimes":            uptimes,
		"OddText":            oddText,
		"RollbackOnError":    rollbackOnError,
		"RollbackOnPanic":    rollbackOnPanic,
		"ManyAtOnce":         manyAtOnce,
		"CanceledBeforeRun":  canceledBeforeRun,
		"CanceledWhileRun":   canceledWhileRun,
		"NestedIsRefused":    nestedIsRefused,
		"ViewIsASnapshot":    viewIsASnapshot,
		"ViewDoesNotWrite":   viewDoesNotWrite,
		"HintsAfterCommit":   hintsAfterCommit,
		"OwnWritesAreSeen":   ownWritesAreSeen,
		"LastWriterIsNamed":  lastWriterIsNamed,
		"UnknownIdsAreNamed": unknownIdsAreNamed,
		"CountsHold":         countsHold,
		"CrowdsCount":        crowdsCount,
		"ReadRowsHold":       readRowsHold,
		"RelyOrGone":         relyOrGone,
		"HeldNodeStays":      heldNodeStays,
		"Contacts":           contacts,
		"ContactsFound":      contactsFound,
		"ContextVariables":   contextVariables,
		"BusinessContext":    businessContext,
		"Suppressions":       suppressions,
		"OptOutWins":         optOutWins,
		"Forgetting":         forgetting,
		"Messages":           messages,
		"MessagesFind":       messagesFind,
		"MessagesNamed":      messagesNamed,
		"MessagesForgotten":  messagesForgotten,
		"Campaigns":          campaigns,
		"Breakers":           breakers,
		"Recipients":         recipients,
		"PutOff":             putOff,
		"CreateSeveral":      createSeveral,
		"UpdateSeveral":      updateSeveral,
		"TriedSeveral":       triedSeveral,
		"Acquaintances":      acquaintances,
		"DialingAsks":        dialingAsks,
	} {
		t.Run(name, func(t *testing.T) { exercise(t, &bench{T: t, store: Twice(open(t)), writers: writers}) })
	}
}

// Twice wraps a store so that every closure of InTx runs once to be rolled back
// and, when it had no error, once more to be committed.
func Twice(store domain.Store) domain.Store { return twice{store} }

type twice struct{ domain.Store }

var errRehearsal = errors.New("rehearsal")

// InTx runs fn twice.
func (t twice) InTx(ctx context.Context, lane domain.Lane, fn func(context.Context, *domain.Stores) error) error {
	err := t.Store.InTx(ctx, lane, func(ctx context.Context, s *domain.Stores) error {
		if err := fn(ctx, s); err != nil {
			return err
		}
		return errRehearsal
	})
	if !errors.Is(err, errRehearsal) {
		return err
	}
	return t.Store.InTx(ctx, lane, fn)
}

// bench is one test with its store.
type bench struct {
	*testing.T
	store   domain.Store
	writers int
}

// write commits fn and fails the test on an error.
func (b *bench) write(fn func(ctx context.Context, s *domain.Stores) error) {
	b.Helper()
	if err := b.store.InTx(b.Context(), domain.LaneAPI, fn); err != nil {
		b.Fatal(err)
	}
}

// try commits fn and returns its error.
func (b *bench) try(fn func(ctx context.Context, s *domain.Stores) error) error {
	return b.store.InTx(b.Context(), domain.LaneAPI, fn)
}

// read runs fn on a snapshot and fails the test on an error.
func (b *bench) read(fn func(ctx context.Context, s *domain.Stores) error) {
	b.Helper()
	if err := b.store.View(b.Context(), fn); err != nil {
		b.Fatal(err)
	}
}

// wantCode fails the test unless err has the code and its message names what.
func (b *bench) wantCode(err error, code domain.Code, what string) {
	b.Helper()
	if domain.CodeOf(err) != code {
		b.Fatalf("error %v has the code %q, want %q", err, domain.CodeOf(err), code)
	}
	if !strings.Contains(err.Error(), what) {
		b.Fatalf("error %q does not say %q", err, what)
	}
}

// same fails the test unless got and want are equal, or print alike.
func (b *bench) same(got, want any) {
	b.Helper()
	if reflect.DeepEqual(got, want) {
		return
	}
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		b.Fatalf("got  %s\nwant %s", g, w)
	}
}

// scopes are one scope and two others that must not see its objects.
func scopes() (in domain.Scope, others []domain.Scope) {
	in = domain.Scope{Workspace: domain.NewID(), Mode: domain.Live}
	return in, []domain.Scope{{Workspace: in.Workspace, Mode: domain.Test}, {Workspace: domain.NewID(), Mode: domain.Live}}
}

// clock returns a time as a store keeps it: UTC, whole microseconds.
func clock() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
