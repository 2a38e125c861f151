package flow

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/domain"
)

const tail = `,{'id':'z','type':'end'}]}`

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ source, message, field string }{
		{`[]`, `the flow must be a JSON object`, ``},
		{`null`, `the flow must be a JSON object, not null`, ``},
		{`{'nodes':`, `the flow is not valid JSON at byte`, ``},
		{`{'nodes':[]}`, `the flow has no nodes`, `nodes`},
		{`{'nodes':{}}`, `the flow: "nodes" must be a list`, `nodes`},
		{`{'nods':[]}`, `the flow: unknown field "nods" (did you mean "nodes"?)`, `nods`},
		{`{'nodes':[{'id':'a','type':'end','txt':'x'}]}`, `node "a": unknown field "txt" (did you mean "text"?)`, `nodes[0].txt`},
		{`{'nodes':[{'id':'a','type':'end','Text':'x'}]}`, `node "a": unknown field "Text" (did you mean "text"?)`, `nodes[0].Text`},
		{`{'nodes':[{'id':'a','type':'end','text':5}]}`, `node "a": "text" must be a string`, `nodes[0].text`},
		{`{'nodes':[{'id':'a','type':'fly'}]}`, `node "a" has type "fly", which does not exist; use one of ask, book, branch`, `nodes[0].type`},
		{`{'nodes':[{'id':'a'}]}`, `node "a" has no type`, `nodes[0].type`},
		{`{'nodes':[{'type':'end'}]}`, `node 1: id: has no id`, `nodes[0].id`},
		{`{'nodes':['x']}`, `node 1 must be a JSON object`, `nodes[0]`},
		{`{'nodes':[{'id':'a','type':'end'},{'id':'a','type':'end'}]}`, `node "a": the id is used by two nodes`, `nodes[1].id`},
		{`{'startNodeId':'b','nodes':[{'id':'a','type':'end'}]}`, `startNodeId is "b", which does not exist (did you mean "a"?)`, `startNodeId`},
		{`{'nodes':[{'id':'a','type':'end'},{'id':'b','type':'end'}]}`, `nothing leads to "a", "b"; name the node to start with`, `startNodeId`},
		{`{'nodes':[{'id':'a','type':'wait','seconds':1,'edges':[{'to':'b'}]},{'id':'b','type':'wait','seconds':1,'edges':[{'to':'a'}]}]}`, `startNodeId is missing, and every node`, `startNodeId`},
		{`{'startNodeId':'a','nodes':[{'id':'a','type':'end'},{'id':'b','type':'end'}]}`, `node "b" is never reached`, `nodes[1]`},
		{`{'nodes':[{'id':'a','type':'say','text':'x','edges':[{'to':'x'}]}]}`, `node "a": edge 1 points to "x", which does not exist`, `nodes[0].edges[0].to`},
		{`{'nodes':[{'id':'a','type':'say','text':'x','edges':[{}]}]}`, `node "a": edge 1: to: has no node to lead to`, `nodes[0].edges[0].to`},
		{`{'nodes':[{'id':'a','type':'say','text':'x','edges':[{'to':'z','when':'now'}]}` + tail, `node "a": edge 1: unknown field "when"`, `nodes[0].edges[0].when`},
		{`{'nodes':[{'id':'a','type':'say','text':'x','edges':[{'to':'z','kind':'perhaps'}]}` + tail, `edge 1: kind: "perhaps" does not exist; use one of always, expr`, `nodes[0].edges[0].kind`},
		{`{'nodes':[{'id':'a','type':'say','text':'x','edges':[{'to':'z','intent':'y'}]}` + tail, `a say node cannot have intent edges; it can have always, expr, else`, `nodes[0].edges[0].kind`},
		{`{'nodes':[{'id':'a','type':'end','edges':[{'to':'a'}]}]}`, `a end node ends the call and has no edges`, `nodes[0].edges[0].kind`},
		{`{'nodes':[{'id':'a','type':'say','text':'x'}]}`, `node "a": edges: a say node needs an edge that leads on`, `nodes[0].edges`},
		{`{'nodes':[{'id':'a','type':'say','text':'  ','edges':[{'to':'z'}]}` + tail, `node "a": text: must not be empty`, `nodes[0].text`},
		{`{'nodes':[{'id':'a','type':'ask','text':'x','answer':'choice','edges':[{'to':'z'}]}` + tail, `node "a": answer.choices: an answer of type choice needs choices`, `nodes[0].answer.choices`},
		{`{'nodes':[{'id':'a','type':'ask','text':'x','answer':{'type':'choice','choices':['a','A']},'edges':[{'to':'z'}]}` + tail, `"A" is there twice`, `nodes[0].answer.choices[1]`},
		{`{'nodes':[{'id':'a','type':'ask','text':'x','answer':{'type':'text','choices':['a']},'edges':[{'to':'z'}]}` + tail, `only an answer of type choice has choices`, `nodes[0].answer.choices`},
		{`{'nodes':[{'id':'a','type':'ask','text':'x','answer':'shape','edges':[{'to':'z'}]}` + tail, `"shape" does not exist; use one of text, yes_no`, `nodes[0].answer.type`},
		{`{'nodes':[{'id':'a','type':'ask','text':'x','answer':{'kind':'text'},'edges':[{'to':'z'}]}` + tail, `node "a": "answer" must be a string or an object with type and choices`, `nodes[0].answer`},
		{`{'nodes':[{'id':'a','type':'ask','text':'x','variable':'a b','edges':[{'to':'z'}]}` + tail, `"a b" is no name for a variable`, `nodes[0].variable`},
		{`{'nodes':[{'id':'a','type':'ask','text':'x','repeat':-1,'edges':[{'to':'z'}]}` + tail, `repeat must be 0 to 20`, `nodes[0].repeat`},
		{`{'nodes':[{'id':'a','type':'ask','text':'x','edges':[{'to':'z','kind':'failure'}]}` + tail, `has no way out for every case; add an edge of kind always`, `nodes[0].edges`},
		{`{'nodes':[{'id':'a','type':'ask','text':'x','edges':[{'to':'z','intent':'talk to sales'},{'to':'z','intent':'Talk, to sales!'}]}` + tail, `edges 1 and 2 wait for the same "intent talk to sales"`, `nodes[0].edges[1]`},
		{`{'nodes':[{'id':'a','type':'ask','text':'x','edges':[{'to':'z','intent':'the user wants it'}]}` + tail, `has no word that tells it apart; add keywords`, `nodes[0].edges[0].intent`},
		{`{'nodes':[{'id':'a','type':'dtmf','edges':[{'to':'z','digits':'1'},{'to':'z','digits':'1'}]}` + tail, `wait for the same "dtmf 1"`, `nodes[0].edges[1]`},
		{`{'nodes':[{'id':'a','type':'dtmf','edges':[{'to':'z','digits':'x'}]}` + tail, `digits: must be keys`, `nodes[0].edges[0].digits`},
		{`{'nodes':[{'id':'a','type':'branch','edges':[{'to':'z','expr':'1 +'},{'to':'z','kind':'else'}]}` + tail, `node "a": edge 1: expr: the expression does not compile`, `nodes[0].edges[0].expr`},
		{`{'nodes':[{'id':'a','type':'branch','edges':[{'to':'z','expr':'1 + 1'},{'to':'z','kind':'else'}]}` + tail, `the expression does not compile: expected bool`, `nodes[0].edges[0].expr`},
		{`{'variables':{'city':''},'nodes':[{'id':'a','type':'branch','edges':[{'to':'z','expr':'citi == \'x\''},{'to':'z','kind':'else'}]}` + tail, `uses "citi", which nothing sets (did you mean "city"?)`, `nodes[0].edges[0].expr`},
		{`{'variables':{'n':1},'nodes':[{'id':'a','type':'branch','edges':[{'to':'z','expr':'n > 1'},{'to':'z','expr':'n <= 1'}]}` + tail, `has no way out for every case; add an edge of kind always, else`, `nodes[0].edges`},
		{`{'nodes':[{'id':'a','type':'say','text':'x','edges':[{'to':'z','kind':'always','expr':'true'}]}` + tail, `does not belong to an edge of kind always`, `nodes[0].edges[0].expr`},
		{`{'nodes':[{'id':'a','type':'http','url':'ftp://x','edges':[{'to':'z'}]}` + tail, `url must begin with https:// or http://`, `nodes[0].url`},
		{`{'nodes':[{'id':'a','type':'http','url':'https://x','edges':[{'to':'z','kind':'success'}]}` + tail, `add an edge of kind failure, always, else`, `nodes[0].edges`},
		{`{'nodes':[{'id':'a','type':'http','url':'https://x','save':5,'edges':[{'to':'z'}]}` + tail, `"save" must be a variable's name, or an object`, `nodes[0].save`},
		{`{'nodes':[{'id':'a','type':'set','values':{'x':'= nope + 1'},'edges':[{'to':'z'}]}` + tail, `uses "nope", which nothing sets`, `nodes[0].values.x`},
		{`{'nodes':[{'id':'a','type':'book','edges':[{'to':'z'}]}` + tail, `needs startTime, or date and time`, `nodes[0].startTime`},
		{`{'nodes':[{'id':'a','type':'wait','edges':[{'to':'z'}]}` + tail, `must wait for more than 0 seconds`, `nodes[0].seconds`},
		{`{'nodes':[{'id':'a','type':'converse'}]}`, `needs a prompt, or the flow a globalPrompt`, `nodes[0].prompt`},
		{`{'settings':{'onMachine':'dance'},'nodes':[{'id':'a','type':'end'}]}`, `must be hangup or ignore`, `settings.onMachine`},
		{`{'settings':{'lissen':1},'nodes':[{'id':'a','type':'end'}]}`, `the flow: settings: unknown field "lissen"`, `settings.lissen`},
		{`{'startNodeId':'a','nodes':[{'id':'a','type':'say','text':'x','edges':[{'to':'b'}]},{'id':'b','type':'say','text':'y','edges':[{'to':'a'}]}]}`, `the nodes "a" → "b" → "a" go round without a turn of the caller`, `nodes`},
		{fmt.Sprintf(`{'nodes':[{'id':'a','type':'end','text':'%s'}]}`, strings.Repeat("x", 4001)), `has 4001 characters; the limit is 4000`, `nodes[0].text`},
		{`{'nodes':[` + strings.Repeat(`{},`, 500) + `{}]}`, `the flow has 501 nodes; the limit is 500`, `nodes`},
	} {
		_, err := Parse([]byte(strings.ReplaceAll(c.source, "'", `"`)))
		var invalid *domain.Error
		if !errors.As(err, &invalid) || invalid.Code != domain.CodeInvalid {
			t.Errorf("%.120s: error %v, want one with CodeInvalid", c.source, err)
			continue
		}
		if !strings.Contains(invalid.Message, c.message) || invalid.Field != c.field {
			t.Errorf("%.120s:\n got %s: %.600s\nwant %s: %s", c.source, invalid.Field, invalid.Message, c.field, c.message)
		}
	}
}

func TestParseListsAllProblems(t *testing.T) {
	_, err := Parse([]byte(`{"nodes":[{"id":"a","type":"say","edges":[{"to":"b"}]},{"id":"c","type":"fly"},{"id":"d","type":"wait","seconds":-1,"color":"red"}]}`))
	for _, want := range []string{`node "a": text`, `points to "b"`, `type "fly"`, `node "d": seconds`, `unknown field "color"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q: %v", want, err)
		}
	}
}

func TestParseAccepts(t *testing.T) {
	for name, source := range map[string]string{
		"stored fields":     `{'id':'1','status':'draft','version':3,'createdAt':'x','updatedAt':'y','nodes':[{'id':'a','type':'end'}]}`,
		"every case by yes": `{'nodes':[{'id':'q','type':'ask','text':'x','variable':'ok','answer':'yes/no','edges':[{'to':'b'}]},{'id':'b','type':'branch','edges':[{'to':'z','expr':'ok'},{'to':'z','expr':'!ok'}]}` + tail,
		"every choice":      `{'nodes':[{'id':'b','type':'branch','edges':[{'to':'z','expr':'c == \'red\''},{'to':'z','expr':'c in [\'green\']'}]},{'id':'q','type':'ask','text':'x','variable':'c','answer':{'type':'enum','choices':['red',{'value':'green','synonyms':['lime']}]},'edges':[{'to':'b'}]}` + tail,
		"ask by expr only":  `{'nodes':[{'id':'q','type':'ask','text':'x','variable':'n','answer':{'type':'integer'},'edges':[{'to':'z','expr':'n > 3'}]}` + tail,
		"self loop of ask":  `{'nodes':[{'id':'q','type':'ask','text':'x','edges':[{'to':'q','kind':'failure'},{'to':'z'}]}` + tail,
		"names of builtins": `{'variables':{'date':'','count':1,'type':'','map':null},'nodes':[{'id':'q','type':'branch','edges':[{'to':'z','expr':'date == today && count > 1 && len(heard) > 0 && map == nil && call.from != contact.phone'},{'to':'z','kind':'else'}]}` + tail,
		"let and closures":  `{'variables':{'list':[]},'nodes':[{'id':'q','type':'branch','edges':[{'to':'z','expr':'let n = len(list); n > 1 and any(list, # > n)'},{'to':'z','kind':'else'}]}` + tail,
		"answer's forms":    `{'nodes':[{'id':'q','type':'ask','text':'x','variable':'v','edges':[{'to':'z','expr':'v_raw contains \'x\''}]}` + tail,
		"position, null":    `{'name':null,'metadata':{'a':[1]},'nodes':[{'id':'a','type':'end','position':{'x':1.5,'y':2},'name':'Bye','text':null,'edges':[]}]}`,
	} {
		if _, err := Parse([]byte(strings.ReplaceAll(strings.ReplaceAll(source, `\'`, "`"), "'", `"`))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCanonical(t *testing.T) {
	g := parse(t, booking)
	once := g.Canonical()
	again, err := Parse(once)
	if err != nil {
		t.Fatalf("canonical form does not parse: %v\n%s", err, once)
	}
	if twice := again.Canonical(); !bytes.Equal(once, twice) {
		t.Errorf("canonical form changed:\n%s\n%s", once, twice)
	}
	for _, want := range []string{`"kind":"always"`, `"answer":{"type":"yes_no"}`, `"save":{"appointment":""}`, `{"id":"hello","type":"say","text":"Hi {{first_name}}`} {
		if !strings.Contains(string(once), want) {
			t.Errorf("canonical form lacks %s:\n%s", want, once)
		}
	}
	small := parse(t, `{'nodes':[{'type':'end','id':'a','text':'<b> & ☎'}]}`)
	if got := string(small.Canonical()); got != `{"startNodeId":"a","nodes":[{"id":"a","type":"end","text":"<b> & ☎"}]}` {
		t.Errorf("canonical form %s", got)
	}
}

func TestStart(t *testing.T) {
	g := parse(t, `{'variables':{'a':1,'b':{'type':'string','default':'x'},'c':{'type':'string'},'d':{'inner':true}},'nodes':[{'id':'e','type':'end'}]}`)
	s := g.Start(map[string]any{"a": 2})
	if s.Vars["a"] != 2 || s.Vars["b"] != "x" || s.Node != "" {
		t.Errorf("state %+v", s)
	}
	if _, there := s.Vars["c"]; there {
		t.Error("a variable without a default is there")
	}
	if _, ok := s.Vars["d"].(map[string]any); !ok {
		t.Errorf("d is %T", s.Vars["d"])
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(strings.ReplaceAll(booking, "'", `"`)))
	f.Add([]byte(`{"nodes":[{"id":"a","type":"http","url":"{{x}}","body":[{}],"save":{"a":"$.b"},"edges":[{"to":"a","kind":"else"}]}]}`))
	f.Add([]byte(`{"nodes":[{"id":"a","type":"set","values":{"x":"=1"},"edges":[{"to":"b","expr":"x == 1"},{"to":"b","kind":"else"}]},{"id":"b","type":"end"}]}`))
	f.Add([]byte(`{"nodes":[null,{},{"edges":[null]}],"variables":{"a":{}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		g, err := Parse(raw)
		if err != nil {
			if domain.CodeOf(err) != domain.CodeInvalid {
				t.Fatalf("code %q", domain.CodeOf(err))
			}
			return
		}
		once := g.Canonical()
		again, err := Parse(once)
		if err != nil {
			t.Fatalf("canonical form does not parse: %v\n%s", err, once)
		}
		if twice := again.Canonical(); !bytes.Equal(once, twice) {
			t.Fatalf("canonical form changed:\n%s\n%s", once, twice)
		}
		sim := &Simulation{Graph: again, At: wednesday}
		sim.Start(nil)
		sim.Hear("yes")
		sim.Hear("")
	})
}
