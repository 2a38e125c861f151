package app_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sip/siptest"
)

// moody is a SIP peer that hears INVITEs and says nothing, until it is told to
// say that everybody is busy.
type moody struct {
	conn *net.UDPConn
	mu   sync.Mutex
	seen map[string]bool // Call-IDs of INVITEs
	busy bool
}

func newMoody(t *testing.T) *moody {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	m := &moody{conn: conn, seen: make(map[string]bool)}
	var serving sync.WaitGroup
	serving.Go(m.serve)
	t.Cleanup(func() {
		_ = conn.Close()
		serving.Wait()
	})
	return m
}

func (m *moody) addr() netip.AddrPort { return m.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

func (m *moody) serve() {
	packet := make([]byte, 64<<10)
	for {
		n, from, err := m.conn.ReadFromUDPAddrPort(packet)
		if err != nil {
			return
		}
		if !bytes.HasPrefix(packet[:n], []byte("INVITE ")) {
			continue
		}
		answer := bytes.NewBufferString("SIP/2.0 486 Busy Here\r\n")
		for line := range bytes.Lines(packet[:n]) {
			name, value, _ := bytes.Cut(line, []byte(":"))
			switch string(name) {
			case "Call-ID":
				m.mu.Lock()
				m.seen[string(value)] = true
				m.mu.Unlock()
				answer.Write(line)
			case "Via", "From", "CSeq":
				answer.Write(line)
			case "To":
				fmt.Fprintf(answer, "To:%s;tag=moody\r\n", bytes.TrimRight(value, "\r\n"))
			}
		}
		answer.WriteString("Content-Length: 0\r\n\r\n")
		m.mu.Lock()
		if m.busy {
			_, _ = m.conn.WriteToUDPAddrPort(answer.Bytes(), from) // the next one comes
		}
		m.mu.Unlock()
	}
}

func (m *moody) calls() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.seen)
}

// afternoon is a time zone in which it is about two o'clock now.
func afternoon() string {
	return fmt.Sprintf("Etc/GMT%+d", time.Now().UTC().Hour()-14) // the sign is that of POSIX: west is positive
}

// campaignOver starts a campaign of 40 contacts over a trunk to a peer.
func (h *house) campaignOver(peer netip.AddrPort, last int) domain.ID {
	h.Helper()
	agent := h.agent(nil, bye("bye"))
	number := h.number(h.trunkTo(peer, map[string]any{"callsPerSecond": 50}), agent, last)
	var contacts []map[string]any
	for i := range 40 {
		contacts = append(contacts, map[string]any{"phone": fmt.Sprintf("+1202555%02d%02d", 20+last, i), "timezone": afternoon()})
	}
	var made object
	h.post("/campaigns", map[string]any{"name": "Over " + peer.String(), "agentId": agent, "phoneNumberId": number, "contacts": contacts}, &made)
	return made.ID
}

type campaignNow struct {
	Status      string
	PauseReason *string
}

func (h *house) becomes(what string, within time.Duration, so func() bool) {
	h.Helper()
	for deadline := time.Now().Add(within); !so(); time.Sleep(300 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.Fatalf("not within %s: %s", within, what)
		}
	}
}

// waitsForTrunk waits until a campaign says that it waits for its trunk.
func (h *house) waitsForTrunk(id domain.ID) {
	h.Helper()
	h.becomes("the campaign waits for its trunk", 2*callLimit, func() bool {
		var c campaignNow
		h.must(http.MethodGet, "/campaigns/"+string(id), nil, &c)
		return c.Status == "active" && c.PauseReason != nil && *c.PauseReason == domain.ReasonTrunkFailing
	})
}

// TestCampaignOverFailingTrunk runs campaigns over a trunk that refuses every
// call and over one that says nothing: each gets ten INVITEs at most, and when it
// is back, the campaign goes on by itself.
func TestCampaignOverFailingTrunk(t *testing.T) {
	t.Parallel()
	h := open(t, setup{ring: 1500 * time.Millisecond})
	full, silent := siptest.UAS(t, siptest.Scenario{Name: siptest.Unavailable}), newMoody(t)
	refused, unheard := h.campaignOver(full.Addr, 1), h.campaignOver(silent.addr(), 2)
	h.waitsForTrunk(refused)
	h.waitsForTrunk(unheard)
	if n := full.Received("INVITE"); n < 3 || n > 10 {
		t.Errorf("the trunk that refuses got %d INVITEs, want 10 at most", n)
	}
	if n := silent.calls(); n != 10 {
		t.Errorf("the trunk that says nothing got %d INVITEs, want 10", n)
	}
	var contacts []struct {
		Phone    string
		Attempts []struct{ Charged bool }
	}
	h.must(http.MethodGet, "/campaigns/"+string(unheard)+"/contacts?limit=200", nil, &contacts)
	for _, c := range contacts {
		for _, try := range c.Attempts {
			if try.Charged {
				t.Errorf("%s was charged with a try", c.Phone)
			}
		}
	}
	if len(contacts) != 40 {
		t.Errorf("%d contacts", len(contacts))
	}
	silent.mu.Lock()
	silent.busy = true
	silent.mu.Unlock()
	h.becomes("the campaign goes on", time.Minute, func() bool { return silent.calls() > 20 })
}
