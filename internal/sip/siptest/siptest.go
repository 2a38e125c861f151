// Package siptest runs Debian's sipp and baresip as foreign SIP peers of tests.
//
// A peer is one sipp process with one of the scenarios in scenarios/, or one of
// the test's own. Its log of messages can be counted while it runs. Sound can be
// observed in three ways:
//   - Media names a UDP socket of the test: the scenario's SDP points to it, so
//     the test itself receives and sends the RTP of a call that sipp signals;
//   - Echo makes sipp send back every RTP packet it gets;
//   - the scenario "tone" makes sipp play a sine wave that the test chooses.
//
// A Baresip is a phone with codecs and SRTP of its own: it says a tone and tells
// what it hears.
package siptest

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

//go:embed scenarios/*.xml
var scenarios embed.FS

// Names of the scenarios that take calls, for Scenario.Name.
const (
	Answer      = "answer"       // 180, 200 after Pause, waits for BYE
	Busy        = "busy"         // 486
	Decline     = "decline"      // 603
	NotFound    = "notfound"     // 404
	Refuse      = "refuse"       // Scenario.Status
	Unavailable = "unavailable"  // 503 with Retry-After: 7
	NoAnswer    = "noanswer"     // 180 until CANCEL, then 487
	Hangup      = "hangup"       // answers, BYE after Pause
	LateAnswer  = "lateanswer"   // 180; 200 although it was canceled; waits for ACK and BYE
	EarlyMedia  = "earlymedia"   // 183 with SDP, 200 after Pause, waits for BYE
	Tone        = "tone"         // answers and plays Scenario.Hertz until BYE
	Digest401   = "digest401"    // 401, answers when User and Password are right, else 403
	Digest407   = "digest407"    // the same with 407, but only User is checked
	Hold        = "hold"         // answers, holds by re-INVITE, resumes after Pause, waits for BYE
	Held        = "held"         // answers, is held and taken back by re-INVITE, waits for BYE
	Registrar   = "registrar"    // takes a REGISTER when User and Password are right, else 403
	Refer       = "refer"        // answers, takes a REFER, tells Scenario.Status of the target after Pause, waits for BYE
	Timer       = "sessiontimer" // answers with a session of 2 s that we refresh, then with one that it never refreshes
	Move        = "move"         // answers, moves to port Keys["other_port"] and PCMA by its ACK, and after Pause back and to G.722
	DTMFRelay   = "dtmfrelay"    // answers, sends digit 5 by INFO, waits for BYE
)

// Names of the scenarios that place a call, for Scenario.Name.
const (
	Call        = "call"        // is answered, BYE after Pause
	CallWaits   = "callwaits"   // is answered, waits for BYE
	CallHeld    = "callheld"    // is answered, held and taken back by re-INVITE, waits for BYE
	CallRefused = "callrefused" // expects Scenario.Status
	CallDigest  = "calldigest"  // answers a 401 with User and Password, is answered, waits for BYE
	CallNoOffer = "callnooffer" // has the far end offer, answers with its ACK, waits for BYE
	CallCancel  = "callcancel"  // CANCEL at the first 180, expects 487
)

// minPause is the shortest pause: sipp may sleep for ever on one of 0.
const minPause = 10 * time.Millisecond

// Scenario says what a peer does.
type Scenario struct {
	Name     string         // one of the names above
	XML      string         // a scenario of the test's own instead of Name
	Pause    time.Duration  // of the scenario's <pause/>
	Media    netip.AddrPort // where the SDP says that sound goes; not valid: to sipp itself
	Echo     bool           // sipp sends received RTP back
	Hertz    float64        // of the tone, 440 when 0
	User     string         // expected by the digest scenarios
	Password string
	From, To string // user parts of a placed call; "+15550001" and "+15550002" when ""
	Status   int    // sent by Refuse, expected by CallRefused
	PCMA     bool   // the scenario's sound is PCMA, not PCMU
	TCP      bool   // signal over TCP
	Keys     map[string]string
	Args     []string // further arguments of sipp
}

// Peer is one running sipp.
type Peer struct {
	Addr netip.AddrPort // where it listens

	t    testing.TB
	cmd  *exec.Cmd
	log  string // file with its messages
	out  string // file with what it printed
	done chan struct{}
	err  error
}

// UAS starts a peer that takes calls and returns when it listens. It is killed
// with the test.
func UAS(t testing.TB, s Scenario) *Peer {
	t.Helper()
	return start(t, s)
}

// UAC starts a peer that places one call to target. Wait tells how it went.
func UAC(t testing.TB, target netip.AddrPort, s Scenario) *Peer {
	t.Helper()
	s.Args = append([]string{target.String(), "-m", "1"}, s.Args...)
	return start(t, s)
}

// Run starts sipp with the scenario's text and further arguments: a target
// makes it call, none makes it listen.
func Run(t testing.TB, scenarioXML string, args ...string) *Peer {
	t.Helper()
	return start(t, Scenario{XML: scenarioXML, Args: args})
}

func start(t testing.TB, s Scenario) *Peer {
	t.Helper()
	if _, err := exec.LookPath("sipp"); err != nil {
		t.Fatal("sipp is missing; install it with: apt-get install sip-tester")
	}
	for try := 0; ; try++ {
		p, err := launch(t, s)
		if err == nil {
			return p
		}
		// Another process may have taken the port in between.
		if try == 4 {
			t.Fatalf("sipp does not start: %v", err)
		}
	}
}

func launch(t testing.TB, s Scenario) (*Peer, error) {
	t.Helper()
	dir := t.TempDir()
	port, media := freePort(t), freePair(t)
	file := filepath.Join(dir, "scenario.xml")
	if err := os.WriteFile(file, []byte(s.text(t, dir, media)), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &Peer{
		Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port), t: t,
		log: filepath.Join(dir, "messages.log"), out: filepath.Join(dir, "output.log"), done: make(chan struct{}),
	}
	args := []string{
		"-sf", file, "-i", "127.0.0.1", "-p", strconv.Itoa(int(port)), "-mi", "127.0.0.1", "-mp", strconv.Itoa(int(media)),
		"-trace_msg", "-message_file", p.log, "-trace_err", "-error_file", filepath.Join(dir, "errors.log"),
		"-nostdin", "-d", strconv.FormatInt(max(s.Pause, minPause).Milliseconds(), 10), "-timeout", "180s",
	}
	if s.TCP {
		args = append(args, "-t", "t1")
	}
	if s.Echo {
		args = append(args, "-rtp_echo")
	}
	out, err := os.Create(p.out)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }() // sipp has its own descriptor of it
	p.cmd = exec.Command("sipp", append(args, s.Args...)...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, out, out
	p.cmd.Env = append(os.Environ(), "TERM=dumb")
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { p.err = p.cmd.Wait(); close(p.done) }()
	t.Cleanup(p.stop)
	return p, p.listening(s.TCP)
}

// text fills the scenario's own keywords in; sipp fills the rest.
func (s Scenario) text(t testing.TB, dir string, media uint16) string {
	t.Helper()
	xml := s.XML
	if xml == "" {
		b, err := scenarios.ReadFile("scenarios/" + s.Name + ".xml")
		if errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("there is no scenario %q", s.Name)
		}
		xml = string(b)
	}
	at := s.Media
	if !at.IsValid() {
		at = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), media)
	}
	pairs := []string{
		"[audio_ip]", at.Addr().String(), "[audio_port]", strconv.Itoa(int(at.Port())),
		"[auth_user]", s.User, "[auth_pass]", s.Password, "[status]", strconv.Itoa(s.Status),
		"[from_user]", or(s.From, "+15550001"), "[to_user]", or(s.To, "+15550002"),
	}
	if strings.Contains(xml, "[tone_file]") {
		pairs = append(pairs, "[tone_file]", writeTone(t, dir, s.Hertz, s.PCMA))
	}
	if s.PCMA {
		pairs = append(pairs, "RTP/AVP 0", "RTP/AVP 8", "rtpmap:0 PCMU", "rtpmap:8 PCMA", ",-1,0", ",-1,8")
	}
	for k, v := range s.Keys {
		pairs = append(pairs, "["+k+"]", v)
	}
	return strings.NewReplacer(pairs...).Replace(xml)
}

func or(v, otherwise string) string {
	if v == "" {
		return otherwise
	}
	return v
}

// listening waits until sipp has bound its port.
func (p *Peer) listening(tcp bool) error {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		select {
		case <-p.done:
			if p.cmd.ProcessState.Success() {
				return nil // it has called and is through already
			}
			return fmt.Errorf("it ended: %w\n%s", p.err, p.Output())
		default:
		}
		if taken(p.Addr, tcp) {
			return nil
		}
	}
	return errors.New("it does not listen")
}

func taken(at netip.AddrPort, tcp bool) bool {
	if tcp {
		ln, err := net.Listen("tcp", at.String())
		if err != nil {
			return true
		}
		_ = ln.Close() // it only asked
		return false
	}
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		return true
	}
	_ = c.Close() // it only asked
	return false
}

func freePort(t testing.TB) uint16 {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Port()
}

// freeStreamPort is freePort for TCP.
func freeStreamPort(t testing.TB) uint16 {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).AddrPort().Port()
}

// freePair returns an even port; sipp takes the three behind it too.
func freePair(t testing.TB) uint16 {
	t.Helper()
	for {
		p := freePort(t) &^ 1
		at := func(i uint16) netip.AddrPort { return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), p+i) }
		if p < 65000 && !taken(at(0), false) && !taken(at(1), false) && !taken(at(2), false) && !taken(at(3), false) {
			return p
		}
	}
}

// stop ends sipp with the test, and shows what it said when the test failed.
func (p *Peer) stop() {
	_ = p.cmd.Process.Kill() // it may be gone already
	<-p.done
	if p.t.Failed() {
		p.t.Logf("sipp %s said:\n%s", p.Addr, p.Output())
	}
}

// Wait waits until sipp ended by itself, which it does after the calls it
// places, and fails the test when a call did not follow the scenario.
func (p *Peer) Wait(timeout time.Duration) {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(timeout):
		p.t.Fatalf("sipp %s is not through after %v", p.Addr, timeout)
	}
	if !p.cmd.ProcessState.Success() {
		p.t.Fatalf("sipp %s: a call did not follow the scenario: %v", p.Addr, p.err)
	}
}

// Output returns what sipp printed, its errors and the messages it saw.
func (p *Peer) Output() string {
	var b strings.Builder
	for _, name := range []string{filepath.Join(filepath.Dir(p.log), "errors.log"), p.log, p.out} {
		if data, err := os.ReadFile(name); err == nil { // a file that is not there has nothing to say
			const most = 12 << 10
			if len(data) > most {
				data = data[len(data)-most:]
			}
			b.Write(data)
		}
	}
	return b.String()
}
