package sip

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"sync"
	"time"

	wire "github.com/emiago/sipgo/sip"
)

// maxServers bounds the answered transactions that are remembered in order to
// answer retransmissions; beyond it the oldest are forgotten.
const maxServers = 20000

// serverTable keeps the incoming transactions, oldest first.
type serverTable struct {
	mu      sync.Mutex
	byKey   map[string]*serverTx
	invites map[string]*serverTx // those that begin a call, by what all copies of it share
	queue   []*serverTx          // answered, by time of the answer
}

func (s *serverTable) get(key string) *serverTx {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byKey[key]
}

func (s *serverTable) put(t *serverTx) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byKey[t.key] = t
	if name, ok := copyName(t.req); ok && s.invites != nil {
		t.copies = name
		s.invites[name] = t
	}
}

// answered queues t to be forgotten (timers H, J and L, RFC 3261 section
// 17.2, RFC 6026) and forgets those whose time has come.
func (s *serverTable) answered(t *serverTx, now time.Time) {
	s.mu.Lock()
	s.queue = append(s.queue, t)
	n := 0
	for n < len(s.queue) && (len(s.queue)-n > maxServers || now.After(s.queue[n].until)) {
		n++
	}
	gone := s.queue[:n:n]
	s.queue = s.queue[n:]
	for _, old := range gone {
		s.forget(old)
	}
	s.mu.Unlock()
	for _, old := range gone {
		old.stop()
	}
}

// serverKey matches a request to its transaction (RFC 3261 section 17.2.3).
// ACK and CANCEL match the INVITE. Without the magic cookie the branch is not
// unique, and what RFC 2543 had stands in.
func serverKey(req *wire.Request) string {
	via, cseq := req.Via(), req.CSeq()
	method := string(req.Method)
	if req.IsAck() || req.IsCancel() {
		method = string(wire.INVITE)
	}
	sentBy := strings.ToLower(via.Host) + ":" + strconv.Itoa(via.Port)
	branch, _ := via.Params.Get("branch")
	if strings.HasPrefix(branch, wire.RFC3261BranchMagicCookie) && len(branch) > len(wire.RFC3261BranchMagicCookie) {
		return branch + "|" + sentBy + "|" + method
	}
	tag, _ := req.From().Params.Get("tag")
	return strings.Join([]string{req.CallID().Value(), tag, strconv.Itoa(int(cseq.SeqNo)), branch, sentBy, method}, "|")
}

// statelessTag makes the To tag of a response that leaves no state.
func statelessTag(req *wire.Request) string {
	sum := sha256.Sum256([]byte(serverKey(req)))
	return hex.EncodeToString(sum[:8])
}

// serverTx is one incoming transaction.
type serverTx struct {
	u     *UA
	key   string
	req   *wire.Request
	from  hop
	hop   hop
	tag   string        // To tag of all its responses
	final chan struct{} // closed with the final response
	gone  chan struct{} // closed when an INVITE is canceled

	mu       sync.Mutex
	status   int    // of the last response, 0 for none
	last     []byte // the last response
	acked    bool
	interval time.Duration
	until    time.Time // when retransmitting stops and the transaction is forgotten
	timer    *time.Timer
	copies   string // key among the table's invites, or ""
	onAck    func() // the 2xx was acknowledged
	onNoAck  func() // it never was
}

func (u *UA) openServer(req *wire.Request, from hop, key string) *serverTx {
	tag, _ := req.To().Params.Get("tag")
	if tag == "" {
		tag = newTag()
	}
	t := &serverTx{
		u: u, key: key, req: req, from: from, hop: replyHop(req, from), tag: tag,
		final: make(chan struct{}), gone: make(chan struct{}),
	}
	u.servers.put(t)
	return t
}

// response starts a response to the request.
func (t *serverTx) response(status int, reason string, body []byte) *wire.Response {
	res := wire.NewResponseFromRequest(t.req, status, reason, body)
	if status > 100 {
		res.To().Params.Add("tag", t.tag)
	}
	res.AppendHeader(wire.NewHeader("Server", t.u.opts.UserAgent))
	if len(body) > 0 {
		res.AppendHeader(wire.NewHeader("Content-Type", "application/sdp"))
	}
	return res
}

// respond sends a response. After the final one it does nothing and reports
// false. The final response to an INVITE is repeated until it is acknowledged
// (timer G, RFC 3261 section 17.2.1; for 2xx section 13.3.1.4).
func (t *serverTx) respond(res *wire.Response) bool {
	t.mu.Lock()
	if t.status >= 200 {
		t.mu.Unlock()
		return false
	}
	t.status, t.last = res.StatusCode, []byte(res.String())
	data := t.last
	if t.status < 200 {
		t.mu.Unlock()
		t.u.reply(t.hop, data)
		return true
	}
	now := time.Now()
	t.until = now.Add(t.u.give)
	if t.req.IsInvite() && (t.status < 300 || !t.hop.Reliable()) {
		t.interval = t.u.t1
		t.timer = time.AfterFunc(t.interval, t.repeat)
	}
	close(t.final)
	t.mu.Unlock()
	t.u.reply(t.hop, data)
	t.u.servers.answered(t, now)
	return true
}

// repeat is timer G, and H when its time has come.
func (t *serverTx) repeat() {
	defer t.u.recovered("retransmission")
	t.mu.Lock()
	if t.acked {
		t.mu.Unlock()
		return
	}
	if time.Now().After(t.until) {
		lost := t.onNoAck
		t.acked = true // nothing more is waited for
		t.mu.Unlock()
		if lost != nil {
			lost()
		}
		return
	}
	t.interval = min(2*t.interval, t.u.t2)
	t.timer.Reset(t.interval)
	data := t.last
	t.mu.Unlock()
	t.u.reply(t.hop, data)
}

// ack stops the repeating.
func (t *serverTx) ack() {
	t.mu.Lock()
	was := t.acked || t.status < 200
	if !was {
		t.acked = true
		if t.timer != nil {
			t.timer.Stop()
		}
	}
	heard := t.onAck
	t.mu.Unlock()
	if !was && heard != nil {
		heard()
	}
}

// again answers a retransmission of the request.
func (t *serverTx) again() {
	t.mu.Lock()
	data := t.last
	t.mu.Unlock()
	if data != nil {
		t.u.reply(t.hop, data)
	}
}

// cancel ends an INVITE that is undecided with 487.
func (t *serverTx) cancel() {
	if t.respond(t.response(487, "Request Terminated", nil)) {
		close(t.gone)
	}
}

// fail answers 500 when nothing was answered yet.
func (t *serverTx) fail() { t.respond(t.response(500, "Server Internal Error", nil)) }

// stop ends the timers of a transaction that is forgotten.
func (t *serverTx) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer != nil {
		t.timer.Stop()
	}
}
