package callee

import (
	"regexp"
	"strings"
)

// rule answers questions that it recognises.
type rule struct {
	when *regexp.Regexp
	say  string
}

// rules are tried in order on the lower-cased question. The first ones match
// what an agent adds when it did not understand an answer; the later ones match
// what people ask.
var rules = []rule{
	{re(`(say|answer)( with)?( me)? yes or no`), "Yes."},
	{re(`\b(e-?mail)\b`), "casey at example dot com."},
	{re(`(date of birth|birthday|born)`), "March third, nineteen ninety."},
	{re(`(phone|mobile|telephone|cell|callback) ?number|number (can|could|may|should|do) (we|i)|reach you (on|at)`), "Plus one, five five five, five five five, zero one two three."},
	{re(`(scale of|from one to|from 1 to|rate |rating|out of (ten|five|10|5))`), "Five."},
	{re(`(zip|postal|post) ?code|(order|account|reference|customer|policy|booking|confirmation) (number|code|id)`), "One two three four five."},
	{re(`how (many|much|old|long|often|far|big|large)|(say|enter|tell me) a number|number of|what number|which number|quantity|party size|party of`), "Two."},
	{re(`(what|which) time|at what hour|(say|tell me|give me|enter) a time|time (would|works|suits|should|do|of day|is best)|o'clock`), "Three p m."},
	{re(`(what|which) (day|date)|(say|tell me|give me|enter) a (date|day)|(date|day) (would|works|suits|should|do|is best)|\bwhen\b`), "Tomorrow."},
	{re(`(your|full|first|last) name|who am i speaking|who is (this|calling)|whom`), "Casey Morgan."},
	{re(`\baddress\b|where do you live`), "Twelve Main Street."},
	{re(`\b(city|town)\b|where are you`), "Oslo."},
	{re(`colou?r`), "Blue."},
	{re(`(anything|something) else|any (other|more|further) questions`), "No, thank you."},
	{re(`how are you|how('s| is) it going|how do you do`), "I am fine, thank you."},
}

// yesNo matches questions that are answered with yes or no.
var yesNo = re(`^(and |so |now |then |ok(ay)?,? |well,? |great,? |thanks?,? |please )*(do|does|did|is|are|am|was|were|would|will|can|could|should|shall|have|has|had|may|might|may) `)

// listed matches the choices an agent reads out: "you can say red, green or blue".
var listed = re(`(?:you can say|please say|choose|options are|pick|say either|either|prefer|like)[: ]+(.+)$`)

func re(s string) *regexp.Regexp { return regexp.MustCompile(s) }

// answer returns what a willing person says to what the agent said, and false
// when there is nothing to answer.
func answer(said string) (string, bool) {
	question := lastQuestion(said)
	low := strings.ToLower(question)
	if low == "" {
		return "", false
	}
	if strings.Contains(low, "yes or no") {
		return "Yes.", true
	}
	if choice, ok := choose(low); ok {
		return choice, true
	}
	for _, r := range rules {
		if r.when.MatchString(low) {
			return r.say, true
		}
	}
	if yesNo.MatchString(low) {
		return "Yes, please.", true
	}
	if strings.HasSuffix(strings.TrimSpace(question), "?") {
		return "Yes, that is fine.", true
	}
	return "", false
}

// lastQuestion returns the last sentence that asks or demands something, with
// the guidance that follows it.
func lastQuestion(said string) string {
	sentences := sentence.FindAllString(strings.TrimSpace(said), -1)
	for i := len(sentences) - 1; i >= 0; i-- {
		s := strings.TrimSpace(sentences[i])
		if strings.HasSuffix(s, "?") || demand.MatchString(strings.ToLower(s)) {
			return s
		}
	}
	return ""
}

var (
	sentence = re(`[^.?!]+(?:\.[a-z0-9][^.?!]*)*[.?!]*`)
	demand   = re(`^(so |now |then |and |please |kindly )*(say|tell|give|enter|name|choose|pick|answer|spell|state|provide|let me know|rate|you can say|your )|please (say|tell|give|enter|choose|pick|answer|provide|leave|rate|confirm)`)
)

// choose picks the first of the choices that the question reads out.
func choose(low string) (string, bool) {
	if !strings.Contains(low, " or ") {
		return "", false
	}
	list := low
	if at := strings.LastIndex(low, ":"); at >= 0 {
		list = low[at+1:]
	} else if m := listed.FindStringSubmatch(low); m != nil {
		list = m[1]
	}
	list = strings.Trim(list, " ?.!")
	head, last, _ := cutLast(list, " or ")
	parts := strings.Split(head, ",")
	first := opening.ReplaceAllString(strings.TrimSpace(parts[0]), "")
	if first == "" || asking.MatchString(first) {
		return "", false
	}
	if len(parts) == 1 && len(strings.Fields(first)) > 3 {
		// No list was marked off: what follows "or" is a choice for sure.
		return sentenceCase(trimArticle(last)) + ".", true
	}
	return sentenceCase(trimArticle(first)) + ".", true
}

var (
	asking  = re(`^(what|which|when|how|who|where|why|whom)\b`)
	opening = re(`^(is|are|do you (want|need|prefer)|would you (like|prefer)|should it be|shall it be)\b *`)
)

func cutLast(s, sep string) (before, after string, found bool) {
	at := strings.LastIndex(s, sep)
	if at < 0 {
		return s, "", false
	}
	return s[:at], s[at+len(sep):], true
}

func trimArticle(s string) string {
	s = strings.TrimSpace(strings.TrimRight(s, ", "))
	for _, a := range []string{"a ", "an ", "the ", "to ", "in ", "for "} {
		s = strings.TrimPrefix(s, a)
	}
	return s
}

func sentenceCase(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
