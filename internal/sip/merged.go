package sip

import (
	"strconv"
	"strings"

	wire "github.com/emiago/sipgo/sip"
)

// copyName is what the copies of an INVITE that begins a call share when a
// proxy forked it and it came here by several ways (RFC 3261 section 8.2.2.2).
func copyName(req *wire.Request) (string, bool) {
	if req == nil || !req.IsInvite() {
		return "", false
	}
	if to, _ := req.To().Params.Get("tag"); to != "" {
		return "", false
	}
	tag, ok := req.From().Params.Get("tag")
	return req.CallID().Value() + "|" + tag + "|" + strconv.Itoa(int(req.CSeq().SeqNo)), ok && tag != ""
}

// merged reports whether an INVITE, which has no transaction yet, is a copy of
// one that rings or was answered. A copy of one that was refused is a new try.
func (s *serverTable) merged(req *wire.Request, key string) bool {
	name, ok := copyName(req)
	if !ok {
		return false
	}
	s.mu.Lock()
	t := s.invites[name]
	s.mu.Unlock()
	if t == nil || t.key == key {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.status < 300
}

// forget drops a transaction; the table is locked.
func (s *serverTable) forget(t *serverTx) {
	delete(s.byKey, t.key)
	if t.copies != "" && s.invites[t.copies] == t {
		delete(s.invites, t.copies)
	}
}

// takesSDP reports whether a caller says that it takes a session description as
// the answer (RFC 3261 section 20.1). Saying nothing means that it does.
func takesSDP(req *wire.Request) bool {
	hs := req.GetHeaders("Accept")
	if len(hs) == 0 {
		return true
	}
	for _, h := range hs {
		for _, kind := range strings.Split(h.Value(), ",") {
			kind, _, _ = strings.Cut(kind, ";")
			switch strings.ToLower(strings.TrimSpace(kind)) {
			case "application/sdp", "application/*", "*/*":
				return true
			}
		}
	}
	return false
}
