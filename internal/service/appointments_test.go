package service_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

var bookedDay = time.Date(2031, 3, 5, 0, 0, 0, 0, time.UTC) // a Wednesday

// book makes an appointment on bookedDay, from and to so many minutes.
func (k *kit) book(in domain.Scope, from, to int) *service.AppointmentDetail {
	k.Helper()
	a, err := k.CreateAppointment(k.Context(), in, bookedFor(from, to), nil)
	k.ok(err)
	return a
}

func bookedFor(from, to int) service.AppointmentChange {
	return service.AppointmentChange{
		Title:   new("Demo"),
		StartAt: new(bookedDay.Add(time.Duration(from) * time.Minute)), EndAt: new(bookedDay.Add(time.Duration(to) * time.Minute)),
	}
}

// TestOverlapsAreFound compares what is reported of many appointments with what
// a search through all of them finds.
func TestOverlapsAreFound(t *testing.T) {
	k := newKit(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	all := make([]*service.AppointmentDetail, 80)
	var making sync.WaitGroup
	for i := range all {
		from := random.IntN(300)
		req := bookedFor(from, from+1+random.IntN(40))
		req.Status = &domain.AppointmentStatuses[random.IntN(len(domain.AppointmentStatuses))]
		in := k.test
		if i%8 == 0 {
			in = k.prod
		}
		making.Go(func() {
			var err error
			all[i], err = k.CreateAppointment(t.Context(), in, req, nil)
			if err != nil {
				t.Error(err)
			}
		})
	}
	making.Wait()
	pairs := 0
	for _, a := range all {
		var want []domain.ID
		for _, b := range all {
			if a != b && a.Mode == b.Mode && a.Takes() && b.Takes() && a.StartAt.Before(b.EndAt) && b.StartAt.Before(a.EndAt) {
				want = append(want, b.ID)
			}
		}
		got, err := k.Appointment(t.Context(), domain.Scope{Workspace: a.WorkspaceID, Mode: a.Mode}, a.ID)
		k.ok(err)
		slices.Sort(want)
		if have := slices.Sorted(slices.Values(got.Overlaps)); !slices.Equal(have, want) {
			t.Fatalf("%s to %s (%s) overlaps %v, not %v", a.StartAt, a.EndAt, a.Status, want, have)
		}
		pairs += len(want)
	}
	if pairs == 0 {
		t.Error("nothing overlapped")
	}
}

// TestAppointmentEvents proves what is announced of each change, to whom, and
// with what.
func TestAppointmentEvents(t *testing.T) {
	k := newKit(t)
	hook, err := k.CreateEndpoint(t.Context(), k.test, service.EndpointChange{
		URL: new("https://example.com/"), Events: &[]string{string(domain.EventAppointmentUpdated), string(domain.EventAppointmentCancelled)},
	}, nil)
	k.ok(err)
	every, err := k.CreateEndpoint(t.Context(), k.test, service.EndpointChange{URL: new("https://example.org/"), Events: &[]string{"*"}}, nil)
	k.ok(err)
	elsewhere, err := k.CreateEndpoint(t.Context(), k.prod, service.EndpointChange{URL: new("https://example.net/"), Events: &[]string{"*"}}, nil)
	k.ok(err)
	sent := func(e *domain.Endpoint, in domain.Scope) (types []domain.EventType) {
		t.Helper()
		rows, _, err := k.Deliveries(t.Context(), in, e.ID, domain.DeliveryFilter{}, domain.Page{})
		k.ok(err)
		for _, d := range slices.Backward(rows) {
			types = append(types, d.EventType)
		}
		return types
	}

	a := k.book(k.test, 0, 30)
	change := func(req service.AppointmentChange) {
		t.Helper()
		var err error
		a, err = k.UpdateAppointment(t.Context(), k.test, a.ID, req)
		k.ok(err)
	}
	change(service.AppointmentChange{Title: new("Demo"), EndAt: new(a.EndAt)}) // nothing new
	if a.Version != 1 {
		t.Errorf("a change of nothing made version %d", a.Version)
	}
	change(service.AppointmentChange{Title: new("Other")})
	change(service.AppointmentChange{Status: new(domain.AppointmentCancelled), Title: new("Off")})
	change(service.AppointmentChange{Notes: new("still off")})
	again, err := k.CancelAppointment(t.Context(), k.test, a.ID, "twice", nil)
	k.ok(err)
	if again.Version != a.Version || again.Customer.Notes != "" {
		t.Errorf("it was cancelled twice: %+v", again)
	}
	k.ok(k.DeleteAppointment(t.Context(), k.test, a.ID, 0)) // known to be off
	a = k.book(k.test, 0, 30)
	a, err = k.CancelAppointment(t.Context(), k.test, a.ID, "Ill", nil)
	k.ok(err)
	if a.Status != domain.AppointmentCancelled || a.Customer.Notes != "Ill" || a.Version != 2 {
		t.Errorf("%+v", a)
	}
	k.ok(k.DeleteAppointment(t.Context(), k.test, k.book(k.test, 0, 30).ID, 1))
	a = k.book(k.test, 0, 30)
	change(service.AppointmentChange{Status: new(domain.AppointmentCompleted)})
	change(service.AppointmentChange{Notes: new("went well")})

	const created, updated, cancelled = domain.EventAppointmentCreated, domain.EventAppointmentUpdated, domain.EventAppointmentCancelled
	if got, want := sent(every, k.test), []domain.EventType{
		created, updated, cancelled, updated, created, cancelled, created, cancelled,
		created, updated, domain.EventAppointmentCompleted, updated,
	}; !slices.Equal(got, want) {
		t.Errorf("sent %v\nwant %v", got, want)
	}
	if got, want := sent(hook, k.test), []domain.EventType{updated, cancelled, updated, cancelled, cancelled, updated, updated}; !slices.Equal(got, want) {
		t.Errorf("sent %v\nwant %v", got, want)
	}
	if got := sent(elsewhere, k.prod); len(got) != 0 {
		t.Errorf("another mode was told %v", got)
	}
}

// TestAppointmentIsChangedByOne has two clients change one version at once: one
// of them has to read it again.
func TestAppointmentIsChangedByOne(t *testing.T) {
	k := newKit(t)
	a := k.book(k.test, 0, 30)
	done := make(chan error, 2)
	for _, title := range []string{"one", "two"} {
		go func() {
			_, err := k.UpdateAppointment(context.Background(), k.test, a.ID, service.AppointmentChange{Title: &title, IfVersion: 1})
			done <- err
		}()
	}
	first, second := <-done, <-done
	if (first == nil) == (second == nil) {
		t.Fatalf("both changed it, or none: %v, %v", first, second)
	}
	if first == nil {
		first = second
	}
	k.code(first, domain.CodePrecondition)
	now, err := k.Appointment(t.Context(), k.test, a.ID)
	k.ok(err)
	if now.Version != 2 {
		t.Errorf("it is at version %d", now.Version)
	}
}

func TestAppointmentIsOfItsScope(t *testing.T) {
	k := newKit(t)
	a, agent := k.book(k.test, 0, 30), k.agent(k.test)
	for _, try := range []func() error{
		func() error { _, err := k.Appointment(t.Context(), k.prod, a.ID); return err },
		func() error {
			_, err := k.UpdateAppointment(t.Context(), k.prod, a.ID, service.AppointmentChange{})
			return err
		},
		func() error { _, err := k.CancelAppointment(t.Context(), k.prod, a.ID, "", nil); return err },
		func() error { return k.DeleteAppointment(t.Context(), k.prod, a.ID, 0) },
		func() error {
			req := bookedFor(0, 30)
			req.AgentID = &agent.ID
			_, err := k.CreateAppointment(t.Context(), k.prod, req, nil)
			return err
		},
	} {
		k.code(try(), domain.CodeNotFound)
	}
}

// TestBookingOfACall: what is booked in a call has the call's agent and far end.
func TestBookingOfACall(t *testing.T) {
	k := newKit(t)
	agent := k.agent(k.test)
	call, err := k.PlaceCall(t.Context(), k.test, service.PlaceRequest{AgentID: agent.ID, To: "+15005550006"}, nil)
	k.ok(err)
	req := bookedFor(0, 30)
	req.Title = new("")
	a, err := k.BookAppointment(t.Context(), call.ID, req)
	k.ok(err)
	if a.CallID != call.ID || a.AgentID != agent.ID || a.Customer.Phone != "+15005550006" || !a.ByAgent ||
		a.Kind != domain.KindAppointment || a.Title != "Appointment" || a.WorkspaceID != k.test.Workspace || a.Mode != domain.Test {
		t.Errorf("%+v", a)
	}
	k.ok(k.DeleteAgent(t.Context(), k.test, agent.ID, 0))
	again, err := k.BookAppointment(t.Context(), call.ID, bookedFor(15, 45))
	k.ok(err)
	if again.AgentID != "" || !slices.Equal(again.Overlaps, []domain.ID{a.ID}) {
		t.Errorf("%+v", again)
	}
	_, err = k.BookAppointment(t.Context(), domain.NewID(), bookedFor(0, 30))
	k.code(err, domain.CodeNotFound)
}

// TestSlotsAreFree: working hours without what is taken, over a weekend.
func TestSlotsAreFree(t *testing.T) {
	k := newKit(t)
	hour := func(n int) int { return n * 60 }
	k.book(k.test, hour(9)+10, hour(9)+20)
	k.book(k.test, hour(10), hour(12))
	k.book(k.test, hour(11), hour(11)+30) // within the one before
	k.book(k.test, hour(12), hour(13)+1)
	k.book(k.prod, hour(14), hour(15)) // another mode
	off := k.book(k.test, hour(15), hour(16))
	_, err := k.CancelAppointment(t.Context(), k.test, off.ID, "", nil)
	k.ok(err)
	k.book(k.test, 2*hour(24)+hour(0), 2*hour(24)+hour(16)) // Friday until four
	free, err := k.Slots(t.Context(), k.test, service.SlotQuery{First: bookedDay, Last: bookedDay.AddDate(0, 0, 3), Length: time.Hour})
	k.ok(err)
	var got []string
	for _, day := range free.Days {
		got = append(got, day.Date)
		for _, s := range day.Slots {
			if s.EndAt.Sub(s.StartAt) != time.Hour {
				t.Errorf("%v", s)
			}
			got = append(got, s.StartAt.Format("15"))
		}
	}
	want := []string{
		"2031-03-05", "14", "15", "16", "2031-03-06", "09", "10", "11", "12", "13", "14", "15", "16",
		"2031-03-07", "16", "2031-03-08",
	}
	if !slices.Equal(got, want) {
		t.Errorf("free are %v\nwant %v", got, want)
	}
	// Today, what has begun is no slot any more; without days it is a week.
	k.mu.Lock()
	k.at = bookedDay.Add(15*time.Hour + time.Minute)
	k.mu.Unlock()
	free, err = k.Slots(t.Context(), k.prod, service.SlotQuery{})
	k.ok(err)
	if len(free.Days) != 7 || len(free.Days[0].Slots) != 3 || free.Days[0].Slots[0].StartAt != bookedDay.Add(15*time.Hour+30*time.Minute) {
		t.Errorf("%+v", free.Days)
	}
}
