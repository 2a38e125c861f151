package conversation

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/callwright/callwright/internal/flow"
	"github.com/callwright/callwright/internal/speech"
)

// routeContext is how many of the last messages a router is told.
const routeContext = 6

// maxRouteAnswer is how much of a router's answer is read, in bytes.
const maxRouteAnswer = 200

// route asks the model which intent was meant. When it does not say so in time,
// keywords count.
func (c *Conversation) route(ctx context.Context, a flow.Route) {
	node := c.flow.Node
	router := c.o.Router
	if router == nil {
		router = c.o.LLM
	}
	if router == nil {
		c.step(ctx, flow.Event{Kind: flow.Routed, Node: node, Name: a.ByKeywords(), OK: true})
		return
	}
	c.owe()
	req := routeRequest(a, c.dialogue)
	go func() {
		ctx, cancel := context.WithTimeout(ctx, c.o.Timing.Route)
		defer cancel()
		to, err := chosen(ctx, router, req, a)
		if err != nil {
			to = a.ByKeywords()
			c.o.Logger.Warn("keywords choose the way: the model did not", "err", err)
		}
		c.post(posted{flow.Event{Kind: flow.Routed, Node: node, Name: to, OK: err == nil}})
	}()
}

func routeRequest(a flow.Route, dialogue []speech.Message) speech.Request {
	var b strings.Builder
	b.WriteString("You direct a phone call. Which of these does the caller mean by their last words? " +
		"Answer with its number and nothing else, or with 0 if it is none of them.\n")
	for i, in := range a.Intents {
		fmt.Fprintf(&b, "\n%d: %s", i+1, in.Text)
		if len(in.Keywords) > 0 {
			fmt.Fprintf(&b, " (%s)", strings.Join(in.Keywords, ", "))
		}
	}
	req := speech.Request{System: b.String()}
	for _, m := range dialogue[max(0, len(dialogue)-routeContext):] {
		if m.Role != "tool" && len(m.Calls) == 0 {
			req.Messages = append(req.Messages, m)
		}
	}
	if n := len(req.Messages); n == 0 || req.Messages[n-1].Role != "user" {
		req.Messages = append(req.Messages, speech.Message{Role: "user", Text: a.Text})
	}
	return req
}

// chosen is the target of the intent that the model chose, "" for none. An
// answer without a number of the list is an error.
func chosen(ctx context.Context, router speech.LLM, req speech.Request, a flow.Route) (to string, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("panic: %v", fault)
		}
	}()
	var answer string
	for chunk, err := range router.Chat(ctx, req) {
		if err != nil {
			return "", err
		}
		if answer += chunk.Text; len(answer) > maxRouteAnswer {
			break
		}
	}
	words := strings.FieldsFunc(answer, func(r rune) bool { return !unicode.IsDigit(r) })
	if len(words) != 1 {
		return "", errors.New("its answer is no number")
	}
	n, err := strconv.Atoi(words[0])
	if err != nil || n > len(a.Intents) {
		return "", errors.New("its answer is no number of the list")
	}
	if n == 0 {
		return "", nil
	}
	return a.Intents[n-1].To, nil
}
