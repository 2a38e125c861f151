package service_test

import (
	"context"
	"maps"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/people"
)

// numbersOf shows a contact's numbers, the primary one in brackets.
func numbersOf(c *people.ContactDetail) string {
	var b strings.Builder
	for _, p := range c.Phones {
		if p.Primary {
			b.WriteString("[" + p.Number + "]")
		} else {
			b.WriteString(" " + p.Number + " ")
		}
	}
	if primary := "[" + c.Phone + "]"; c.Phone != "" && !strings.Contains(b.String(), primary) {
		b.WriteString(" but phone is " + c.Phone)
	}
	return b.String()
}

// TestContactNumbers: whatever is changed, one number is the primary one, and
// what a request does not say of a number stays.
func TestContactNumbers(t *testing.T) {
	k := newKit(t)
	const one, two, three = "+15005550101", "+15005550102", "+15005550103"
	type phones = []people.PhoneChange
	c, err := k.CreateContact(t.Context(), k.prod, people.ContactChange{
		Phones: &phones{{Number: one, Type: new("work")}, {Number: two, Primary: true}},
	}, nil)
	k.ok(err)
	for _, step := range []struct {
		what string
		req  people.ContactChange
		want string
	}{
		{"nothing", people.ContactChange{}, " " + one + " [" + two + "]"},
		{"another primary number", people.ContactChange{Phone: new(three)}, " " + one + " [" + three + "]"},
		{"a known primary number", people.ContactChange{Phone: new(one)}, "[" + one + "] " + three + " "},
		{"the primary number away", people.ContactChange{Phone: new("")}, "[" + three + "]"},
		{"all away", people.ContactChange{Phones: &phones{}}, ""},
		{"none away", people.ContactChange{Phone: new("")}, ""},
		{"both", people.ContactChange{Phone: new(one), Phones: &phones{{Number: two}, {Number: three}}}, "[" + one + "] " + two + "  " + three + " "},
		{"the first", people.ContactChange{Phones: &phones{{Number: three}, {Number: two}}}, "[" + three + "] " + two + " "},
		{"two primary", people.ContactChange{Phones: &phones{{Number: one}, {Number: two, Primary: true}, {Number: three, Primary: true}}}, " " + one + " [" + two + "] " + three + " "},
	} {
		c, err = k.UpdateContact(t.Context(), k.prod, c.ID, step.req)
		k.ok(err)
		if got := numbersOf(c); got != step.want {
			t.Errorf("%s: %s, want %s", step.what, got, step.want)
		}
	}
	id := c.Phones[0].ID
	c, err = k.UpdateContact(t.Context(), k.prod, c.ID, people.ContactChange{Phones: &phones{{ID: id, Type: new("home")}, {Number: two}}})
	k.ok(err)
	if p := c.Phones[0]; p.ID != id || p.Number != one || p.Type != "home" {
		t.Errorf("%+v", p)
	}
	for _, bad := range []phones{{{Number: one}, {Number: one}}, {{ID: "nobody"}}, {{Number: "0155"}}, make(phones, 21)} {
		_, err = k.UpdateContact(t.Context(), k.prod, c.ID, people.ContactChange{Phones: &bad})
		k.code(err, domain.CodeInvalid)
	}
	_, err = k.UpdateContact(t.Context(), k.test, c.ID, people.ContactChange{})
	k.code(err, domain.CodeNotFound)
}

// TestContactMarks: an edit lists a number and takes its own mark back, but not
// what the person has asked for, also when both come together.
func TestContactMarks(t *testing.T) {
	k := newKit(t)
	c, err := k.CreateContact(t.Context(), k.test, people.ContactChange{
		Phones: &[]people.PhoneChange{{Number: "+15005550101"}, {Number: "+15005550102", DoNotCall: new(true)}},
	}, nil)
	k.ok(err)
	listed := func(c *people.ContactDetail, want ...string) {
		t.Helper()
		if len(c.Suppressed) != len(want) {
			t.Errorf("listed %v, want %v", c.Suppressed, want)
		}
		for _, n := range want {
			if _, ok := c.Suppressed[n]; !ok {
				t.Errorf("%s is not listed", n)
			}
		}
	}
	listed(c, "+15005550102")
	k.suppress("+15005550101")
	c, err = k.UpdateContact(t.Context(), k.test, c.ID, people.ContactChange{DoNotCall: new(false)})
	k.ok(err)
	listed(c, "+15005550101")
	c, err = k.UpdateContact(t.Context(), k.test, c.ID, people.ContactChange{DoNotCall: new(true)})
	k.ok(err)
	listed(c, "+15005550101", "+15005550102")
	k.ok(k.DeleteContact(t.Context(), k.test, c.ID, 0))
	if _, err := k.Suppression(t.Context(), k.test, "+15005550102"); err != nil {
		t.Errorf("the mark went with the contact: %v", err)
	}
}

// TestCallsKnowContacts: variables come from the agent, the business, the
// contact and the request, the later ones over the earlier.
func TestCallsKnowContacts(t *testing.T) {
	b := newSwitchboard(t)
	own := b.number("+12025550100", service.NumberChange{AgentID: &b.agent.ID})
	_, err := b.SetBusinessContext(t.Context(), b.prod, people.ContextValues{Values: map[string]any{"opening": "9 to 5"}, AutoCreate: true}, nil)
	b.ok(err)
	c, err := b.CreateContact(t.Context(), b.prod, people.ContactChange{
		Phone: new("+14155552671"), FirstName: new("Jane"), LastName: new("Doe"),
		Industry: &map[string]any{"beds": 2.0, "plan": "none"}, Custom: &map[string]any{"plan": "gold", "city": "Rome"},
	}, nil)
	b.ok(err)
	known := map[string]any{
		"city": "Rome", "business_opening": "9 to 5", "first_name": "Jane", "last_name": "Doe", "full_name": "Jane Doe", "beds": 2.0, "plan": "gold",
	}
	with := func(more map[string]any) map[string]any {
		all := maps.Clone(known)
		maps.Copy(all, more)
		return all
	}
	stranger := map[string]any{"city": "Bern", "business_opening": "9 to 5"}
	for what, try := range map[string]struct {
		req  service.PlaceRequest
		id   domain.ID
		to   string
		want map[string]any
	}{
		"by number":           {service.PlaceRequest{To: c.Phone}, c.ID, c.Phone, known},
		"by id":               {service.PlaceRequest{ContactID: c.ID, Variables: map[string]any{"plan": "silver"}}, c.ID, c.Phone, with(map[string]any{"plan": "silver"})},
		"by id, elsewhere":    {service.PlaceRequest{ContactID: c.ID, To: "+14155552672"}, c.ID, "+14155552672", known},
		"nobody that we know": {service.PlaceRequest{To: "+14155552672"}, "", "+14155552672", stranger},
	} {
		try.req.AgentID = b.agent.ID
		call, err := b.PlaceCall(t.Context(), b.prod, try.req, nil)
		b.ok(err)
		if call.ContactID != try.id || call.To != try.to || !reflect.DeepEqual(call.Variables, try.want) {
			t.Errorf("%s: %s %s %v", what, call.ContactID, call.To, call.Variables)
		}
	}
	for _, from := range []string{"+14155552671", "+14155552699"} {
		d, err := b.ring(own, from)
		b.ok(err)
		want, id := stranger, domain.ID("")
		if from == c.Phone {
			want, id = known, c.ID
		}
		if d.Call.ContactID != id || !reflect.DeepEqual(d.Call.Variables, want) {
			t.Errorf("from %s: %s %v", from, d.Call.ContactID, d.Call.Variables)
		}
	}
	none, err := b.CreateContact(t.Context(), b.prod, people.ContactChange{FirstName: new("No number")}, nil)
	b.ok(err)
	_, err = b.PlaceCall(t.Context(), b.prod, service.PlaceRequest{AgentID: b.agent.ID, ContactID: none.ID}, nil)
	b.code(err, domain.CodeInvalid)
	_, err = b.PlaceCall(t.Context(), b.prod, service.PlaceRequest{AgentID: b.agent.ID, ContactID: domain.NewID()}, nil)
	b.code(err, domain.CodeNotFound)
}

// TestContextValues: each type takes what fits it, in every way to write it.
func TestContextValues(t *testing.T) {
	k := newKit(t)
	for _, kind := range []domain.VariableType{"text", "number", "date", "boolean", "select"} {
		_, err := k.CreateContextVariable(t.Context(), k.prod, people.ContextVariableChange{
			Name: "a_" + string(kind), ContextType: domain.ContextContact, DisplayName: new(string(kind)), Type: &kind, Options: &[]string{"red", "green"},
		}, nil)
		k.ok(err)
	}
	c, err := k.CreateContact(t.Context(), k.prod, people.ContactChange{FirstName: new("A"), Custom: &map[string]any{"kept": 1.0}}, nil)
	k.ok(err)
	for _, try := range []struct {
		name        string
		value, want any // want nil: refused
	}{
		{"a_text", "x", "x"}, {"a_text", 5.0, 5.0}, {"a_text", map[string]any{}, nil}, {"a_text", []any{"x"}, nil},
		{"a_number", 5.5, 5.5}, {"a_number", " 12 ", 12.0}, {"a_number", "-1e3", -1000.0}, {"a_number", "many", nil}, {"a_number", true, nil},
		{"a_number", "NaN", nil}, {"a_number", "1e999", nil}, {"a_number", "Infinity", nil},
		{"a_date", "2025-02-01", "2025-02-01"}, {"a_date", "2025-02-01T09:00:00Z", "2025-02-01T09:00:00Z"}, {"a_date", "2025-02-30", nil}, {"a_date", 5.0, nil},
		{"a_boolean", true, true}, {"a_boolean", "yes", true}, {"a_boolean", "1", true}, {"a_boolean", 1.0, true}, {"a_boolean", "No", false},
		{"a_boolean", 0.0, false}, {"a_boolean", "perhaps", nil}, {"a_boolean", 2.0, nil},
		{"a_select", "red", "red"}, {"a_select", "Red", nil}, {"a_select", 1.0, nil},
	} {
		got, err := k.SetContactContext(t.Context(), k.prod, c.ID, people.ContextValues{Values: map[string]any{try.name: try.value}}, nil)
		if try.want == nil {
			if fault, ok := err.(*domain.Error); !ok || fault.Reason != domain.ReasonInvalidValue { //nolint:errorlint // as it is returned
				t.Errorf("%s takes %v: %v", try.name, try.value, err)
			}
			continue
		}
		k.ok(err)
		if got.Custom[try.name] != try.want || got.Custom["kept"] != 1.0 {
			t.Errorf("%s makes %v of %v", try.name, got.Custom, try.value)
		}
	}
	got, err := k.SetContactContext(t.Context(), k.prod, c.ID, people.ContextValues{Values: map[string]any{"a_text": nil, "unknown": nil}}, nil)
	k.ok(err)
	if _, there := got.Custom["a_text"]; there || len(got.Custom) != 5 {
		t.Errorf("%v", got.Custom)
	}
}

// TestContextAtOnce: values that are set at the same time do not lose each other,
// and a variable is declared once.
func TestContextAtOnce(t *testing.T) {
	k := newKit(t)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			_, err := k.SetBusinessContext(t.Context(), k.prod, people.ContextValues{
				Values: map[string]any{"all_of_us": "x", "only_" + string(rune('a'+i)): "y"}, AutoCreate: true,
			}, nil)
			if code := domain.CodeOf(err); code != "" && code != domain.CodeConflict {
				t.Error(err)
			}
			if err != nil { // another one has declared it first, twice
				_, err = k.SetBusinessContext(t.Context(), k.prod, people.ContextValues{
					Values: map[string]any{"only_" + string(rune('a'+i)): "y"}, AutoCreate: true,
				}, nil)
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	rows, err := k.ContextVariables(t.Context(), k.prod, domain.ContextBusiness)
	k.ok(err)
	values, err := k.SetBusinessContext(t.Context(), k.prod, people.ContextValues{}, nil)
	k.ok(err)
	if len(rows) != 9 || len(values) != 9 {
		t.Errorf("%d variables, %d values", len(rows), len(values))
	}
}

// sounds notes what is deleted.
type sounds struct {
	domain.Recordings
	mu   sync.Mutex
	gone []string
}

func (s *sounds) Delete(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = append(s.gone, name)
	return nil
}

// TestEraseContact: nothing is left that names the person's calls, others' calls
// stay, and a call that is under way is waited for.
func TestEraseContact(t *testing.T) {
	k := newKit(t)
	kept := &sounds{}
	eraser := service.New(service.Options{Store: k.store, Recordings: kept, CheckFlow: func(raw []byte) ([]byte, error) { return raw, nil }, Now: k.now})
	eraser.Attach(k.live)
	const number, elsewhere, other = "+15005550106", "+15005550107", "+15005550108"
	c, err := k.CreateContact(t.Context(), k.test, people.ContactChange{Phone: new(number), FirstName: new("Jane")}, nil)
	k.ok(err)
	hook, err := k.CreateEndpoint(t.Context(), k.test, service.EndpointChange{URL: new("https://example.org/"), Events: &[]string{"*"}}, nil)
	k.ok(err)
	visit := bookedFor(9, 10)
	_, err = k.CreateAppointment(t.Context(), k.test, visit, nil) // somebody else's
	k.ok(err)
	visit.ContactID = new(c.ID)
	booked, err := k.CreateAppointment(t.Context(), k.test, visit, nil)
	k.ok(err)
	k.ok(k.DeleteAppointment(t.Context(), k.test, booked.Appointment.ID, 0)) // but what was told of it is kept
	told := func() int {
		list, total, err := k.Deliveries(t.Context(), k.test, hook.ID, domain.DeliveryFilter{}, domain.Page{})
		k.ok(err)
		if len(list) != total {
			t.Errorf("%d of %d are listed", len(list), total)
		}
		return total
	}
	before := told()
	agent := k.agent(k.test)
	var ids []domain.ID
	for _, req := range []service.PlaceRequest{{To: number}, {To: number}, {ContactID: c.ID, To: elsewhere}, {To: other}} {
		req.AgentID = agent.ID
		call, err := k.PlaceCall(t.Context(), k.test, req, nil)
		k.ok(err)
		ids = append(ids, call.ID)
	}
	k.change(ids[0], func(call *domain.Call, a *domain.Attempt) {
		call.State, call.Recording, call.EndedAt, a.State = domain.CallCompleted, "r.wav", k.now(), domain.AttemptEnded
	})
	k.change(ids[2], func(call *domain.Call, a *domain.Attempt) {
		call.State, a.State = domain.CallInProgress, domain.AttemptAnswered
	})
	k.code(eraser.EraseContact(t.Context(), k.test, c.ID, 99), domain.CodePrecondition)
	k.code(eraser.EraseContact(t.Context(), k.prod, c.ID, 0), domain.CodeNotFound)
	k.code(eraser.EraseContact(t.Context(), k.test, c.ID, 0), domain.CodeConflict)
	if _, err := k.Contact(t.Context(), k.test, c.ID); err != nil {
		t.Errorf("the contact went before its last call: %v", err)
	}
	k.pass(time.Second)
	k.change(ids[2], func(call *domain.Call, a *domain.Attempt) {
		call.State, call.EndedAt, a.State = domain.CallCompleted, k.now(), domain.AttemptEnded
	})
	k.ok(eraser.EraseContact(t.Context(), k.test, c.ID, 0))
	if n := told(); n != 1 || before < 2 {
		t.Errorf("%d of %d payloads are left, want that of the other's appointment", n, before)
	}
	if len(kept.gone) != 1 || kept.gone[0] != "r.wav" {
		t.Errorf("deleted the recordings %v", kept.gone)
	}
	calls, total, err := k.Calls(t.Context(), k.test, domain.CallFilter{}, domain.Page{})
	k.ok(err)
	if total != 1 || calls[0].ID != ids[3] {
		t.Errorf("left: %+v", calls)
	}
	attempts, _, err := k.ClaimAttempts(t.Context(), domain.NewID(), k.now().Add(time.Hour), time.Second, 10)
	k.ok(err)
	if len(attempts) != 1 || attempts[0].CallID != ids[3] {
		t.Errorf("still to be dialed: %+v", attempts)
	}
	_, err = k.Contact(t.Context(), k.test, c.ID)
	k.code(err, domain.CodeNotFound)
	eraser.Close()
}
