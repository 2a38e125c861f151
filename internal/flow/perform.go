package flow

import "github.com/callwright/callwright/internal/domain"

// Kinds of Do.
const (
	DoHTTP     = "http"
	DoTransfer = "transfer"
	DoSMS      = "sms"
	DoBook     = "book"
	DoDigits   = "digits"
)

// doEdges are the edges of nodes that have something done.
var doEdges = []EdgeKind{Always, Expr, OnEvent, Success, Failure, Else}

// doNeeds asks for a way out for both results.
var doNeeds = [][]EdgeKind{{Success, Always, Else}, {Failure, Always, Else}}

// performed leaves a node after its Do.
func (w *walk) performed(n *Node) {
	switch {
	case w.event.OK && (w.followExpr(n) || w.follow(n, Success, Always, Else)):
	case !w.event.OK && (w.follow(n, Failure) || w.followExpr(n) || w.follow(n, Else, Always)):
	default:
		w.say(goodbyeFailed)
		w.end(domain.EndFlow)
	}
}
