package main

import "fmt"

// demoPrinter shows the demo to a person; quiet shows nothing.
type demoPrinter struct{ quiet bool }

func (p demoPrinter) line(format string, args ...any) {
	if !p.quiet {
		fmt.Printf(format+"\n", args...)
	}
}

func (p demoPrinter) turn(t demoTurn) {
	who := "caller"
	if t.Role == "agent" {
		who = "agent "
	}
	p.line("  %5.1fs  %s  %s", float64(t.StartMs)/1000, who, t.Text)
}

func (p demoPrinter) result(r demoResult) {
	p.line("\n  status     %s (%s) after %d s", r.Status, r.EndReason, r.DurationSeconds)
	p.line("  summary    %s", r.Summary)
	p.line("  sentiment  %s", r.Sentiment)
	p.line("  voice      %s", r.Voice)
	p.line("  recording  %s", r.Recording)
	for _, w := range r.Webhooks {
		verdict := "signature verified"
		if !w.Verified {
			verdict = "SIGNATURE WRONG"
		}
		p.line("  webhook    %-18s %s", w.Event, verdict)
	}
}
