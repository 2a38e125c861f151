package flow

import (
	"strings"
	"sync"
	"testing"

	"github.com/callwright/callwright/internal/domain"
)

// parse reads a graph that must be right. Single quotes stand for double ones.
func parse(t testing.TB, source string) *Graph {
	t.Helper()
	g, err := Parse([]byte(strings.ReplaceAll(source, "'", `"`)))
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return g
}

// exchange is one turn of a scripted conversation: what happens, what the agent
// says then, and the node that the conversation comes to.
type exchange struct {
	event Event
	says  string // joined with " | "
	node  string
}

func heard(text string) Event   { return Event{Kind: Heard, Text: text} }
func pressed(keys string) Event { return Event{Kind: Digit, Text: keys} }

var (
	started = Event{Kind: Started}
	silence = Event{Kind: Silence}
)

// run plays a script and returns the simulation as it stands then.
func run(t *testing.T, sim *Simulation, vars map[string]any, script []exchange) {
	t.Helper()
	sim.At = wednesday
	sim.State = sim.Graph.Start(vars)
	for i, x := range script {
		said := strings.Join(sim.Send(x.event), " | ")
		if said != x.says {
			t.Errorf("%d: after %s %q the agent says %q, want %q", i+1, x.event.Kind, x.event.Text, said, x.says)
		}
		if sim.State.Node != x.node {
			t.Errorf("%d: after %s %q the node is %q, want %q", i+1, x.event.Kind, x.event.Text, sim.State.Node, x.node)
		}
	}
}

func notesOf(acts []Act) (notes []string) {
	for _, act := range acts {
		if note, ok := act.(Note); ok {
			notes = append(notes, note.Text)
		}
	}
	return notes
}

const booking = `{'name':'Booking','startNodeId':'hello','variables':{'business':'Acme','tries':{'type':'number','default':0}},'nodes':[
 {'id':'hello','type':'say','text':'Hi {{first_name}}, this is {{business}}.','edges':[{'to':'want'}]},
 {'id':'want','type':'ask','text':'Would you like to book an appointment?','variable':'wants','answer':'boolean','edges':[
   {'to':'operator','kind':'intent','intent':'caller wants to talk to a human'},
   {'to':'operator','digits':'0'},
   {'to':'bye','event':'cancel'},
   {'to':'day','expr':'wants'},
   {'to':'bye','kind':'else'}]},
 {'id':'day','type':'ask','text':'Which day?','variable':'day','answer':{'type':'date'},'repeat':1,'edges':[{'to':'hour','kind':'success'},{'to':'operator','kind':'failure'},{'to':'bye','kind':'timeout'}]},
 {'id':'hour','type':'ask','text':'At what time?','variable':'hour_of_day','answer':{'type':'time'},'edges':[{'to':'make'}]},
 {'id':'make','type':'book','title':'Visit of {{first_name}}','date':'{{day}}','time':'{{hour_of_day}}','save':'appointment','edges':[{'to':'done','kind':'success'},{'to':'operator','kind':'failure'}]},
 {'id':'done','type':'end','text':'See you on {{day_spoken}} at {{hour_of_day_spoken}}.'},
 {'id':'operator','type':'transfer','to':'+15005550006','text':'One moment.'},
 {'id':'bye','type':'end','text':'Goodbye.'},
 {'id':'machine','type':'voicemail','text':'This is {{business}}, please call back.'}]}`

const wantsText = "Would you like to book an appointment?"

func TestConversations(t *testing.T) {
	hello := exchange{started, "Hi Ann, this is Acme. | " + wantsText, "want"}
	yesNo := "Sorry, I did not get that. Please say yes or no."
	day := "Sorry, I did not get that. Please say a date, like March third."
	for name, c := range map[string]struct {
		script []exchange
		end    domain.EndReason
		failDo bool
	}{
		"the whole way": {[]exchange{hello, {heard("yes please"), "Which day?", "day"}, {heard("friday"), "At what time?", "hour"},
			{heard("half past three"), "See you on Friday, March 6 at 3:30 PM.", ""}}, domain.EndFlow, false},
		"no":                          {[]exchange{hello, {heard("no thanks"), "Goodbye.", ""}}, domain.EndFlow, false},
		"not understood once":         {[]exchange{hello, {heard("bananas"), yesNo, "want"}, {heard("no"), "Goodbye.", ""}}, domain.EndFlow, false},
		"not understood, then else":   {[]exchange{hello, {heard("bananas"), yesNo, "want"}, {heard("apples"), yesNo, "want"}, {heard("pears"), "Goodbye.", ""}}, domain.EndFlow, false},
		"silent is asked again":       {[]exchange{hello, {silence, wantsText, "want"}, {heard("no"), "Goodbye.", ""}}, domain.EndFlow, false},
		"an intent instead":           {[]exchange{hello, {heard("let me talk to a human"), "One moment.", ""}}, domain.EndTransferred, false},
		"a key of an edge":            {[]exchange{hello, {pressed("0"), "One moment.", ""}}, domain.EndTransferred, false},
		"a key as an answer":          {[]exchange{hello, {pressed("1"), "Which day?", "day"}}, "", false},
		"an event from outside":       {[]exchange{hello, {Event{Kind: Injected, Name: "cancel"}, "Goodbye.", ""}}, domain.EndFlow, false},
		"an event nobody waits for":   {[]exchange{hello, {Event{Kind: Injected, Name: "other"}, "", "want"}}, "", false},
		"failure edge after repeat":   {[]exchange{hello, {heard("yes"), "Which day?", "day"}, {heard("soon"), day, "day"}, {heard("later"), "One moment.", ""}}, domain.EndTransferred, false},
		"timeout edge after silence":  {[]exchange{hello, {heard("yes"), "Which day?", "day"}, {silence, "Which day?", "day"}, {silence, "Goodbye.", ""}}, domain.EndFlow, false},
		"what cannot be done":         {[]exchange{hello, {heard("no human here, yes"), "One moment. | I am sorry, something went wrong. Goodbye.", ""}}, domain.EndFlow, true},
		"machine, then its beep":      {[]exchange{hello, {Event{Kind: Machine}, "", "machine"}, {Event{Kind: Beep}, "This is Acme, please call back.", ""}}, domain.EndVoicemail, false},
		"machine, words, no beep":     {[]exchange{hello, {Event{Kind: Machine}, "", "machine"}, {heard("please leave a message"), "", "machine"}, {Event{Kind: Timer}, "This is Acme, please call back.", ""}}, domain.EndVoicemail, false},
		"beep at once":                {[]exchange{hello, {Event{Kind: Beep}, "This is Acme, please call back.", ""}}, domain.EndVoicemail, false},
		"hangup":                      {[]exchange{hello, {Event{Kind: Hangup}, "", ""}, {heard("yes"), "", ""}}, "", false},
		"nothing before the start":    {[]exchange{{heard("hello"), "", ""}, hello}, "", false},
		"started twice":               {[]exchange{hello, {started, "", "want"}}, "", false},
		"noise without words":         {[]exchange{hello, {heard("  "), "", "want"}, {Event{Kind: Played}, "", "want"}, {Event{Kind: Interrupted}, "", "want"}}, "", false},
		"late answer of another node": {[]exchange{hello, {Event{Kind: Done, Node: "make", OK: true}, "", "want"}, {Event{Kind: Timer}, "", "want"}}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			sim := &Simulation{Graph: parse(t, booking), Do: func(Do) (any, bool) { return map[string]any{"id": "a1"}, !c.failDo }}
			run(t, sim, map[string]any{"first_name": "Ann"}, c.script)
			if sim.End != c.end {
				t.Errorf("end reason %q, want %q", sim.End, c.end)
			}
		})
	}
}

func TestCapturedAnswers(t *testing.T) {
	sim := &Simulation{Graph: parse(t, booking)}
	var booked Do
	sim.Do = func(do Do) (any, bool) { booked = do; return map[string]any{"id": "a1"}, true }
	run(t, sim, map[string]any{"first_name": "Ann"}, []exchange{
		{started, "Hi Ann, this is Acme. | " + wantsText, "want"}, {heard("yes"), "Which day?", "day"},
		{heard("on Friday please"), "At what time?", "hour"}, {heard("noon"), "See you on Friday, March 6 at 12:00 PM.", ""},
	})
	if got := strings.Join(sim.State.Captured, " "); got != "wants day hour_of_day appointment" {
		t.Errorf("captured %s", got)
	}
	want := map[string]any{"wants": true, "day": "2026-03-06", "day_raw": "on Friday please", "day_spoken": "Friday, March 6", "hour_of_day": "12:00"}
	for name, value := range want {
		if sim.State.Vars[name] != value {
			t.Errorf("%s = %v, want %v", name, sim.State.Vars[name], value)
		}
	}
	if booked.Kind != DoBook || booked.Args["startTime"] != "2026-03-06T12:00" || booked.Args["title"] != "Visit of Ann" || booked.Args["durationMinutes"] != 30 {
		t.Errorf("booked %+v", booked)
	}
}

func TestNotesWhatIsMissing(t *testing.T) {
	g := parse(t, `{'variables':{'age':null},'nodes':[{'id':'a','type':'say','text':'Hi {{nobody}}.','edges':[{'to':'b'}]},
	 {'id':'b','type':'branch','edges':[{'to':'c','expr':'age > 18'},{'to':'c','kind':'else'}]},{'id':'c','type':'end'}]}`)
	sim := &Simulation{Graph: g}
	run(t, sim, nil, []exchange{{started, "Hi .", ""}})
	notes := strings.Join(notesOf(sim.Acts), "\n")
	for _, want := range []string{`variable "nobody" is not set (node "a")`, `node "b": an expression did not match because it failed`} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes %q lack %q", notes, want)
		}
	}
}

func TestExpressionsByPriority(t *testing.T) {
	g := parse(t, `{'variables':{'n':0},'nodes':[{'id':'a','type':'branch','edges':[
	  {'to':'low','expr':'n > 1','priority':2},{'to':'high','expr':'n > 5','priority':1},{'to':'other','kind':'else'}]},
	  {'id':'low','type':'end','text':'low'},{'id':'high','type':'end','text':'high'},{'id':'other','type':'end','text':'other'}]}`)
	for n, want := range map[int]string{0: "other", 3: "low", 9: "high"} {
		sim := &Simulation{Graph: g}
		if said := sim.Start(map[string]any{"n": n}); len(said) != 1 || said[0] != want {
			t.Errorf("n = %d: %v, want %s", n, said, want)
		}
	}
}

func TestSetHTTPAndSMS(t *testing.T) {
	g := parse(t, `{'nodes':[
	 {'id':'set','type':'set','values':{'tries':'= (tries ?? 0) + 1','copy':'{{list}}','text':'{{first_name}}!','deep':{'a':['{{tries}}']}},'edges':[{'to':'get'}]},
	 {'id':'get','type':'http','method':'post','url':'{{host}}/find?q={{first_name}}&t={{text}}','headers':{'X-Name':'{{first_name}}'},'body':{'n':'{{tries}}'},
	  'save':{'city':'$.places.0.name','gone':'nowhere'},'edges':[{'to':'send','kind':'success'},{'to':'fail','kind':'failure'}]},
	 {'id':'send','type':'sms','text':'You live in {{city}}.','edges':[{'to':'fail'}]},
	 {'id':'fail','type':'end','text':'{{city}} {{tries}}'}]}`)
	var done []Do
	sim := &Simulation{Graph: g, At: wednesday, Do: func(do Do) (any, bool) {
		done = append(done, do)
		return map[string]any{"places": []any{map[string]any{"name": "Oslo"}}}, true
	}}
	said := sim.Start(map[string]any{"first_name": "A & B\r\nX", "host": "https://example.com/v1", "list": []any{1.0}})
	if strings.Join(said, "|") != "Oslo 1" {
		t.Errorf("said %q", said)
	}
	args := done[0].Args
	if args["url"] != "https://example.com/v1/find?q=A%20%26%20B%0D%0AX&t=A%20%26%20B%0D%0AX%21" {
		t.Errorf("url %v", args["url"])
	}
	if args["method"] != "POST" || args["headers"].(map[string]any)["X-Name"] != "A & BX" || args["body"].(map[string]any)["n"] != 1 {
		t.Errorf("args %v", args)
	}
	if _, ok := sim.State.Vars["copy"].([]any); !ok {
		t.Errorf("copy is a %T", sim.State.Vars["copy"])
	}
	if done[1].Args["text"] != "You live in Oslo." || done[1].Args["to"] != "" {
		t.Errorf("sms %v", done[1].Args)
	}
	if notes := strings.Join(notesOf(sim.Acts), "\n"); !strings.Contains(notes, `nothing at "nowhere"`) {
		t.Errorf("notes %q", notes)
	}
}

func TestKeys(t *testing.T) {
	g := parse(t, `{'nodes':[{'id':'menu','type':'dtmf','text':'Press 1 or 2.','repeat':1,'edges':[{'to':'one','digits':'1'},{'to':'two','digits':'2'},{'to':'none','kind':'timeout'}]},
	 {'id':'one','type':'dtmf','text':'Your code.','max':4,'terminator':'#','variable':'code','edges':[{'to':'two'}]},
	 {'id':'two','type':'end','text':'Code {{code}}.'},{'id':'none','type':'end','text':'Bye.'}]}`)
	for name, script := range map[string][]exchange{
		"keys":        {{started, "Press 1 or 2.", "menu"}, {pressed("1"), "Your code.", "one"}, {pressed("123#"), "Code 123.", ""}},
		"spoken":      {{started, "Press 1 or 2.", "menu"}, {heard("one"), "Your code.", "one"}, {heard("four double oh two"), "Code 4002.", ""}},
		"another key": {{started, "Press 1 or 2.", "menu"}, {pressed("7"), "Press 1 or 2.", "menu"}, {silence, "Bye.", ""}},
		"words":       {{started, "Press 1 or 2.", "menu"}, {heard("hello"), "Press 1 or 2.", "menu"}},
	} {
		t.Run(name, func(t *testing.T) { run(t, &Simulation{Graph: g}, nil, script) })
	}
	_, acts := g.Step(g.Start(nil), started)
	if rule := acts[1].(Listen).Digits; rule == nil || rule.Max != 1 {
		t.Errorf("rule %+v, want one key", rule)
	}
}

func TestConverse(t *testing.T) {
	const source = `{'globalPrompt':'You are Sam.','nodes':[{'id':'talk','type':'converse','prompt':'Help {{first_name}}.','tools':['lookup'],'edges':[
	   {'to':'sales','intent':'caller asks about prices','keywords':['price','how much']},{'to':'help','intent':'caller wants technical support'}]},
	  {'id':'sales','type':'end','text':'Sales.'},{'id':'help','type':'end','text':'Support.'}]}`
	think := func(Think) (string, bool) { return "(model)", true }
	scripts := map[string][]exchange{
		"loops until an intent": {{started, "(model)", "talk"}, {heard("hello"), "(model)", "talk"}, {heard("What are your prices?"), "Sales.", ""}},
		"phrase":                {{started, "(model)", "talk"}, {heard("how much is it"), "Sales.", ""}},
		"words of the intent":   {{started, "(model)", "talk"}, {heard("a technical problem"), "Support.", ""}},
		"silence":               {{started, "(model)", "talk"}, {silence, stillThere, "talk"}, {silence, stillThere, "talk"}, {silence, goodbyeSilent, ""}},
		"goodbye":               {{started, "(model)", "talk"}, {Event{Kind: Thought, OK: true, Name: Goodbye}, "", ""}},
		"model fails":           {{started, "(model)", "talk"}, {Event{Kind: Thought}, goodbyeFailed, ""}},
		"machine, no voicemail": {{started, "(model)", "talk"}, {Event{Kind: Machine}, "", ""}},
	}
	for name, script := range scripts {
		t.Run(name, func(t *testing.T) { run(t, &Simulation{Graph: parse(t, source), Think: think}, nil, script) })
	}
	t.Run("router", func(t *testing.T) {
		g := parse(t, source)
		g.Route = true
		chosen := ""
		sim := &Simulation{Graph: g, Think: think, Route: func(r Route) string {
			if len(r.Intents) != 2 || r.Text == "" {
				t.Errorf("route %+v", r)
			}
			return chosen
		}}
		run(t, sim, nil, []exchange{{started, "(model)", "talk"}, {heard("prices"), "(model)", "talk"}})
		chosen = "help"
		if said := sim.Hear("well"); strings.Join(said, "") != "Support." {
			t.Errorf("said %q", said)
		}
	})
	t.Run("prompt", func(t *testing.T) {
		g := parse(t, source)
		_, acts := g.Step(g.Start(map[string]any{"first_name": "Ann"}), started)
		if got := acts[0].(Think); got.Prompt != "You are Sam.\n\nHelp Ann." || got.Tools[0].Name != "lookup" {
			t.Errorf("think %+v", got)
		}
	})
}

func TestFromPrompt(t *testing.T) {
	sim := &Simulation{Graph: FromPrompt("Hi {{first_name}}!", "Be kind."), Think: func(Think) (string, bool) { return "(model)", true }}
	run(t, sim, map[string]any{"first_name": "Ann"}, []exchange{{started, "Hi Ann!", "talk"}, {heard("hello"), "(model)", "talk"}})
	run(t, &Simulation{Graph: FromPrompt("", "Be kind.")}, nil, []exchange{{started, "", "talk"}})
	if got := FromPrompt("Hi.", "x").Texts(nil); len(got) == 0 || got[0] != "Hi." {
		t.Errorf("texts %q", got)
	}
	if _, err := Parse(FromPrompt("Hi.", "x").Canonical()); err != nil {
		t.Errorf("a prompt's flow does not parse: %v", err)
	}
}

func TestRoutedAsk(t *testing.T) {
	g := parse(t, `{'nodes':[{'id':'q','type':'ask','text':'Yes or no?','variable':'v','answer':'yes_no','edges':[
	 {'to':'human','intent':'wants a human'},{'to':'ok','kind':'always'}]},{'id':'human','type':'end','text':'Human.'},{'id':'ok','type':'end','text':'OK.'}]}`)
	g.Route = true
	for _, c := range []struct{ said, route, want string }{
		{"yes", "", "OK."}, {"give me a person", "human", "Human."}, {"bananas", "", "Sorry, I did not get that. Please say yes or no."}, {"yes", "elsewhere", "OK."},
	} {
		sim := &Simulation{Graph: g, Route: func(Route) string { return c.route }}
		sim.Start(nil)
		if said := strings.Join(sim.Hear(c.said), "|"); said != c.want {
			t.Errorf("%q routed to %q: %q, want %q", c.said, c.route, said, c.want)
		}
	}
}

func TestKeysThatAreNoAnswer(t *testing.T) {
	g := parse(t, `{'nodes':[{'id':'q','type':'ask','text':'Which day?','answer':'date','edges':[{'to':'z'}]},{'id':'z','type':'end'}]}`)
	run(t, &Simulation{Graph: g}, nil, []exchange{{started, "Which day?", "q"}, {pressed("5"), "", "q"}, {heard("today"), "", ""}})
}

// TestOneGraphManyCalls runs under the race detector.
func TestOneGraphManyCalls(t *testing.T) {
	g := parse(t, booking)
	var calls sync.WaitGroup
	for range 4 {
		calls.Go(func() {
			for range 20 {
				sim := &Simulation{Graph: g, At: wednesday}
				sim.Start(map[string]any{"first_name": "Ann"})
				for _, line := range []string{"yes", "friday", "noon"} {
					sim.Hear(line)
				}
				if sim.End != domain.EndFlow {
					t.Errorf("end %q", sim.End)
				}
			}
		})
	}
	calls.Wait()
}

func TestLoopGuard(t *testing.T) {
	// A graph that Parse would refuse.
	n := &Node{ID: "a", Type: "branch", body: &branch{}, Edges: []*Edge{{To: "a", Kind: Always}}}
	g := &Graph{StartNodeID: "a", Nodes: []*Node{n}, byID: map[string]*Node{"a": n}}
	sim := &Simulation{Graph: g}
	sim.Start(nil)
	if sim.End != domain.EndConfiguration || !sim.State.Ended {
		t.Errorf("end %q", sim.End)
	}
}

func TestTextsAndAsks(t *testing.T) {
	g := parse(t, booking)
	texts := g.Texts(map[string]any{"first_name": "Ann"})
	if texts[0] != "Hi Ann, this is Acme." || texts[1] != wantsText {
		t.Errorf("texts begin with %q", texts[:2])
	}
	all := strings.Join(texts, "\n")
	for _, want := range []string{"Please say yes or no.", "One moment.", "This is Acme, please call back.", "Which day?"} {
		if !strings.Contains(all, want) {
			t.Errorf("texts lack %q", want)
		}
	}
	if strings.Contains(all, "See you") {
		t.Error("texts have one whose variables are not known yet")
	}
	if strings.Contains(strings.Join(g.Texts(nil), "\n"), "Hi ") {
		t.Error("texts have a greeting without its name")
	}
	var names []string
	for _, q := range g.Asks() {
		names = append(names, q.Variable+" "+string(q.Type))
	}
	if got := strings.Join(names, ", "); got != "wants yes_no, day date, hour_of_day time" {
		t.Errorf("asks %s", got)
	}
}
