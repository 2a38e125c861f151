package access

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

const (
	// usesBatch is how many keys' uses one transaction writes.
	usesBatch = 100
	// foldBatch is how many additions to usage one transaction folds.
	foldBatch = 1000
)

// KeyUse is a request of a good key that was answered.
type KeyUse struct {
	Key    *domain.Key
	Mode   domain.Mode     // of the request
	From   netip.Addr      // not valid when it is not known
	Status int             // of the answer
	Fault  domain.KeyFault // why it was refused to this key, or ""
}

// NoteUse counts a request. It never waits: what is noted is written by the next
// FlushUses.
func (a *Access) NoteUse(u KeyUse) {
	now := a.Clock()
	counts := domain.UsageCounts{Requests: 1}
	switch u.Status / 100 {
	case 2:
		counts.Successes = 1
	case 3:
		counts.Redirects = 1
	case 4:
		counts.ClientErrors = 1
	default:
		counts.ServerErrors = 1
	}
	a.uses.note(u.Key.ID, func(k *keyNotes) {
		k.count(usageSlot{u.Key.WorkspaceID, u.Mode, domain.DayOf(now)}, counts)
		if u.Fault != "" {
			k.fail(u.Fault, u.From, now)
		}
		if u.Fault != domain.FaultAddress {
			k.see(u.From, now, now)
		}
	})
}

// FlushUses writes what was noted of keys, and folds the usage of days. What
// cannot be written is kept for the next time.
func (a *Access) FlushUses(ctx context.Context) error {
	noted := a.uses.take()
	for batch := range slices.Chunk(slices.Sorted(maps.Keys(noted)), usesBatch) {
		err := a.Store.InTx(ctx, domain.LaneBackground, func(ctx context.Context, st *domain.Stores) error {
			for _, key := range batch {
				if err := noted[key].write(ctx, st, key); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			a.uses.giveBack(noted)
			return err
		}
		a.unfolded.Store(true)
		for _, key := range batch {
			delete(noted, key)
		}
	}
	return a.foldUsage(ctx)
}

// foldUsage folds additions to usage, when there may be some.
func (a *Access) foldUsage(ctx context.Context) error {
	for a.unfolded.CompareAndSwap(true, false) {
		n := 0
		err := a.Store.InTx(ctx, domain.LaneBackground, func(ctx context.Context, st *domain.Stores) (err error) {
			n, err = st.Usage.Fold(ctx, foldBatch)
			return err
		})
		if err != nil || n == foldBatch {
			a.unfolded.Store(true)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// AddUsage counts what a transaction does.
func (a *Access) AddUsage(ctx context.Context, st *domain.Stores, u domain.Usage) error {
	a.unfolded.Store(true)
	return st.Usage.Add(ctx, u)
}

// fail notes that a key was refused before its request got anywhere.
func (u *keyUses) fail(key domain.ID, fault domain.KeyFault, from netip.Addr, now time.Time) {
	u.note(key, func(k *keyNotes) { k.fail(fault, from, now) })
}

// keyUses is what was noted of keys and is not written yet.
type keyUses struct {
	mu   sync.Mutex
	keys map[domain.ID]*keyNotes
}

// keyNotes is what was noted of one key. A map that is nil is empty.
type keyNotes struct {
	lastAt   time.Time
	seen     map[netip.Addr]span
	failures map[domain.KeyFault]domain.KeyFailure
	usage    map[usageSlot]domain.UsageCounts
}

type span struct{ first, last time.Time }

type usageSlot struct {
	workspace domain.ID
	mode      domain.Mode
	day       domain.Day
}

func (u *keyUses) note(key domain.ID, what func(*keyNotes)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	k := u.keys[key]
	if k == nil {
		k = &keyNotes{}
		if u.keys == nil {
			u.keys = make(map[domain.ID]*keyNotes)
		}
		u.keys[key] = k
	}
	what(k)
}

func (u *keyUses) take() map[domain.ID]*keyNotes {
	u.mu.Lock()
	defer u.mu.Unlock()
	taken := u.keys
	u.keys = nil
	return taken
}

// giveBack adds what could not be written to what was noted since.
func (u *keyUses) giveBack(noted map[domain.ID]*keyNotes) {
	for key, old := range noted {
		u.note(key, func(k *keyNotes) {
			for addr, s := range old.seen {
				k.see(addr, s.first, s.last)
			}
			if old.lastAt.After(k.lastAt) {
				k.lastAt = old.lastAt
			}
			for fault, f := range old.failures {
				k.addFailure(fault, f)
			}
			for slot, counts := range old.usage {
				k.count(slot, counts)
			}
		})
	}
}

func (k *keyNotes) count(slot usageSlot, more domain.UsageCounts) {
	if k.usage == nil {
		k.usage = make(map[usageSlot]domain.UsageCounts, 1)
	}
	sum := k.usage[slot]
	sum.Add(more)
	k.usage[slot] = sum
}

// see notes a use from addr. No more addresses are kept than will be stored.
func (k *keyNotes) see(addr netip.Addr, firstAt, lastAt time.Time) {
	if lastAt.After(k.lastAt) {
		k.lastAt = lastAt
	}
	if !addr.IsValid() {
		return
	}
	s, known := k.seen[addr]
	if !known {
		s = span{firstAt, lastAt}
	}
	if firstAt.Before(s.first) {
		s.first = firstAt
	}
	if lastAt.After(s.last) {
		s.last = lastAt
	}
	if k.seen == nil {
		k.seen = make(map[netip.Addr]span, 1)
	}
	k.seen[addr] = s
	if len(k.seen) > domain.MaxKeyAddresses {
		oldest := addr
		for a, s := range k.seen {
			if s.last.Before(k.seen[oldest].last) {
				oldest = a
			}
		}
		delete(k.seen, oldest)
	}
}

func (k *keyNotes) fail(fault domain.KeyFault, from netip.Addr, now time.Time) {
	f := domain.KeyFailure{Count: 1, LastAt: now}
	if from.IsValid() {
		f.LastAddress = from.String()
	}
	k.addFailure(fault, f)
}

func (k *keyNotes) addFailure(fault domain.KeyFault, more domain.KeyFailure) {
	if k.failures == nil {
		k.failures = make(map[domain.KeyFault]domain.KeyFailure, 1)
	}
	f := k.failures[fault]
	f.Count += more.Count
	if !more.LastAt.Before(f.LastAt) {
		f.LastAt, f.LastAddress = more.LastAt, more.LastAddress
	}
	k.failures[fault] = f
}

// write stores what was noted of a key.
func (k *keyNotes) write(ctx context.Context, st *domain.Stores, key domain.ID) error {
	if !k.lastAt.IsZero() {
		if err := st.Keys.Touch(ctx, key, k.lastAt); err != nil {
			return err
		}
	}
	// All who write do so in one order.
	seen := make([]domain.KeyAddress, 0, len(k.seen))
	for _, addr := range slices.SortedFunc(maps.Keys(k.seen), netip.Addr.Compare) {
		seen = append(seen, domain.KeyAddress{KeyID: key, Address: addr.String(), FirstAt: k.seen[addr].first, LastAt: k.seen[addr].last})
	}
	if err := st.KeyTraces.Seen(ctx, seen...); err != nil {
		return err
	}
	for _, fault := range slices.Sorted(maps.Keys(k.failures)) {
		f := k.failures[fault]
		f.KeyID, f.Fault = key, fault
		if err := st.KeyTraces.Failed(ctx, f); err != nil {
			return err
		}
	}
	for slot, counts := range k.usage { // which is only inserted
		err := st.Usage.Add(ctx, domain.Usage{WorkspaceID: slot.workspace, Mode: slot.mode, KeyID: key, Day: slot.day, UsageCounts: counts})
		if err != nil {
			return err
		}
	}
	return nil
}
