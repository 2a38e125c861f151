package flow

func init() {
	register(nodeType{
		name:  "book",
		fresh: func() body { return &book{} },
		edges: doEdges,
		need:  doNeeds,
	})
}

// book makes an appointment with the person on the call: Do{book} with the
// arguments title, notes, startTime (RFC 3339, or date and time without a zone:
// 2026-03-15T15:30) and durationMinutes. The start is StartTime, or Date and
// Time as ask gives them. Done's Value is the appointment.
type book struct {
	Title           string `json:"title,omitempty"`
	StartTime       string `json:"startTime,omitempty"`
	Date            string `json:"date,omitempty"`
	Time            string `json:"time,omitempty"`
	DurationMinutes int    `json:"durationMinutes,omitempty"` // 30 when it is not given
	Notes           string `json:"notes,omitempty"`
	Save            save   `json:"save,omitempty"`
}

const defaultAppointment = 30 // minutes

func (b *book) check(c *check) {
	c.text("title", b.Title, false)
	c.text("notes", b.Notes, false)
	switch {
	case b.StartTime == "" && (b.Date == "" || b.Time == ""):
		c.problem("startTime", "needs startTime, or date and time")
	case b.StartTime != "" && (b.Date != "" || b.Time != ""):
		c.problem("startTime", "has startTime as well as date or time; use one")
	}
	if b.DurationMinutes < 0 || b.DurationMinutes > 24*60 {
		c.problem("durationMinutes", "durationMinutes must be 1 to 1440")
	}
	b.Save.check(c)
}

func (b *book) sets() []string { return b.Save.names() }

func (b *book) enter(w *walk, _ *Node) {
	start := w.fill(b.StartTime)
	if b.StartTime == "" {
		start = w.fill(b.Date) + "T" + w.fill(b.Time)
	}
	minutes := b.DurationMinutes
	if minutes == 0 {
		minutes = defaultAppointment
	}
	w.do(Do{Kind: DoBook, Args: map[string]any{
		"title": w.fill(b.Title), "notes": w.fill(b.Notes), "startTime": start, "durationMinutes": minutes,
	}})
}

func (b *book) take(w *walk, n *Node) {
	if w.event.Kind != Done {
		return
	}
	if w.event.OK {
		b.Save.keep(w, w.event.Value)
	}
	w.performed(n)
}
