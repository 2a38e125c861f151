package provider

import (
	"regexp"
	"strings"
)

// question is one thing that the sandbox model asks.
type question struct {
	text string
	echo bool // the answer is a name, with which the caller is thanked
}

// Questions of the sandbox model.
var (
	help    = question{text: "How can I help you today?"}
	askName = question{text: "May I have your name, please?", echo: true}
	more    = question{text: "Is there anything else I can do for you?"}
)

// maxQuestions is how many a plan has at most.
const maxQuestions = maxTurns - 1

// enough is how many questions a prompt must give so that nothing else is asked.
const enough = 2

// topics are questions for things that prompts speak of, by a word for them.
var topics = []struct {
	when *regexp.Regexp
	ask  question
}{
	{regexp.MustCompile(`e-?mail`), question{text: "What is your e-mail address?"}},
	{regexp.MustCompile(`phone|callback|mobile`), question{text: "What is the best phone number for you?"}},
	{regexp.MustCompile(`\bnames?\b`), askName},
	{regexp.MustCompile(`\b(day|date)s?\b`), question{text: "Which day would suit you?"}},
	{regexp.MustCompile(`\b(time|hour)s?\b`), question{text: "What time would suit you?"}},
	{regexp.MustCompile(`party size|(number of|how many) (people|guests|persons)`), question{text: "How many people will there be?"}},
	{regexp.MustCompile(`\baddress\b`), question{text: "What is your address?"}},
	{regexp.MustCompile(`(order|account|reference|customer|policy|booking) (number|id)`), question{text: "What is your reference number?"}},
	{regexp.MustCompile(`\brat(e|ing)\b|satisf`), question{text: "From one to five, how satisfied are you?"}},
	{regexp.MustCompile(`appointment|book|schedul|reserv`), question{text: "Which day would suit you?"}},
}

var (
	putAs     = regexp.MustCompile(`["“]([^"“”\n]{3,160}\?)["”]`)
	sentences = regexp.MustCompile(`[^.!?\n]+[.!?]?`)
	// instruction is a sentence that wants something asked: what, or about what.
	instruction = regexp.MustCompile(`(?i)\b(?:ask|collect|find out|gather|obtain|request)\b(?: (?:the |your |every |each )?(?:caller|customer|client|user|guest|patient|person|lead|prospect|contact|them|him|her)s?)?(?: (?:for|about))?:? +(.+)$`)
	// aspect begins what is asked as a clause: whether they …, when they ….
	aspect = regexp.MustCompile(`(?i)^(if|whether|what|which|when|where|why|who|how)\b`)
	parts  = regexp.MustCompile(`,? and |, `)
)

// questionsFor plans what to ask by a prompt: at least one and at most three
// questions. First those that it spells out in quotes, then those that its
// instructions ask for, then those that its words suggest.
func questionsFor(system string) []question {
	var p plan
	for _, m := range putAs.FindAllStringSubmatch(system, -1) {
		p.add(question{text: m[1], echo: strings.Contains(m[1], "name")})
	}
	for _, s := range sentences.FindAllString(putAs.ReplaceAllString(system, ""), -1) {
		if m := instruction.FindStringSubmatch(strings.TrimRight(s, ".! ")); m != nil {
			p.instruct(strings.TrimSpace(m[1]))
		}
	}
	low := strings.ToLower(system)
	if len(p.list) == 0 && topics[len(topics)-1].when.MatchString(low) {
		p.add(askName)
		p.add(topics[len(topics)-1].ask)
	}
	if len(p.list) == 0 {
		p.add(help)
	}
	if len(p.list) < enough {
		p.add(more)
	}
	return p.list
}

// plan gathers questions, each once.
type plan struct{ list []question }

func (p *plan) add(q question) {
	if len(p.list) == maxQuestions {
		return
	}
	for _, have := range p.list {
		if have.text == q.text {
			return
		}
	}
	p.list = append(p.list, q)
}

// instruct adds what an instruction wants asked.
func (p *plan) instruct(what string) {
	if strings.HasSuffix(what, "?") {
		p.add(question{text: upperFirst(what)})
		return
	}
	if aspect.MatchString(what) {
		if _, known := topicOf(what); !known || strings.Contains(what, " and ") {
			p.add(question{text: "Could you tell me " + toYou(what) + "?"})
			return
		}
	}
	for _, part := range parts.Split(what, -1) {
		part = strings.TrimSpace(part)
		if q, known := topicOf(part); known {
			p.add(q)
			continue
		}
		if part != "" && len(strings.Fields(part)) <= 12 {
			p.add(question{text: "Could you tell me " + article(toYou(part)) + "?"})
		}
	}
}

func topicOf(text string) (question, bool) {
	low := strings.ToLower(text)
	for _, t := range topics {
		if t.when.MatchString(low) {
			return t.ask, true
		}
	}
	return question{}, false
}

// turned maps words about the caller to words to the caller.
var turned = map[string]string{
	"they": "you", "their": "your", "theirs": "yours", "them": "you", "themselves": "yourself",
	"they're": "you are", "they've": "you have",
}

// third is what a caller does, told of a third person.
var (
	third = regexp.MustCompile(`(?i)\b(?:the |a )?(?:caller|customer|client|user|guest|patient|person) (is|was|has|does|\w+[^s']s)\b`)
	whose = regexp.MustCompile(`(?i)\b(?:the |a )?(?:caller|customer|client|user|guest|patient|person)['’]s\b`)
	forms = map[string]string{"is": "are", "was": "were", "has": "have", "does": "do"}
)

func toYou(text string) string {
	text = whose.ReplaceAllString(text, "your")
	text = third.ReplaceAllStringFunc(text, func(s string) string {
		verb := strings.ToLower(s[strings.LastIndexByte(s, ' ')+1:])
		if irregular, ok := forms[verb]; ok {
			return "you " + irregular
		}
		return "you " + strings.TrimSuffix(verb, "s")
	})
	words := strings.Fields(text)
	for i, w := range words {
		if to, ok := turned[strings.ToLower(w)]; ok {
			words[i] = to
		}
	}
	return strings.Join(words, " ")
}

// article makes a thing fit after "tell me".
func article(thing string) string {
	first, _, _ := strings.Cut(strings.ToLower(thing), " ")
	switch first {
	case "your", "you", "the", "about", "if", "whether", "what", "which", "when", "where", "why", "who", "how":
		return thing
	}
	return "about " + thing
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// named finds who the agent is: "You are Sam from Acme Dental".
var named = regexp.MustCompile(`\b(?:You are|You're|Your name is|I am) ([A-Z][\w'-]*)(?:,? (?:from|of|at|with) ((?:[A-Z][\w'&-]*)(?: [A-Z][\w'&-]*)*))?`)

// nameIn returns the name that the prompt gives the agent, or "".
func nameIn(system string) string {
	m := named.FindStringSubmatch(system)
	switch {
	case m == nil:
		return ""
	case m[2] != "":
		return m[1] + " from " + m[2]
	}
	return m[1]
}
