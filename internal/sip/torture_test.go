package sip

import (
	wire "github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/internal/sip/message"

	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

const tortureSDP = "v=0\no=mhandley 29739 7272939 IN IP4 %[1]s\ns=-\nc=IN IP4 %[1]s\nt=0 0\nm=audio 49217 RTP/AVP 0 12\nm=video 3227 RTP/AVP 31\na=rtpmap:31 LPC"

var (
	tortureMacro = regexp.MustCompile(`\{([^{}]+)\*(\d+)\}|\{sdp ([0-9.]+)\}|\{binary (\d+)\}`)
	tortureByte  = regexp.MustCompile(`\\x([0-9a-f]{2})|\\\\`)
)

// torture reads a file of test messages, by name.
func torture(t testing.TB, file string) map[string][]byte {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	messages := map[string][]byte{}
	for _, part := range strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n=== ")[1:] {
		name, body, _ := strings.Cut(part+"\n", "\n")
		body = tortureMacro.ReplaceAllStringFunc(body, func(m string) string {
			g := tortureMacro.FindStringSubmatch(m)
			n, _ := strconv.Atoi(g[2] + g[4])
			switch {
			case g[1] != "":
				return strings.Repeat(g[1], n)
			case g[3] != "":
				return fmt.Sprintf(tortureSDP, g[3])
			}
			var b strings.Builder
			for i := range n {
				fmt.Fprintf(&b, `\x%02x`, byte(i*7))
			}
			return b.String()
		})
		body = strings.ReplaceAll(body, "\n", "\r\n")
		body = tortureByte.ReplaceAllStringFunc(body, func(m string) string {
			if m == `\\` {
				return `\`
			}
			n, _ := strconv.ParseUint(m[2:], 16, 8)
			return string([]byte{byte(n)})
		})
		messages[name] = []byte(body)
	}
	return messages
}

// sentence is an answer that a message earns, with a header that it must have.
type sentence struct {
	status int
	header string
}

// verdicts are the final answers to the messages of RFC 4475, 0 for none at
// all. Where the RFC leaves a choice, ours is among it; requests that are
// accepted reach the application, which says 486 here. A method that is not
// served is refused before anything else is looked at.
var verdicts = map[string]sentence{
	"wsinv":      {481, ""}, // well-formed, but its To has a tag of no call here
	"intmeth":    {501, "allow"},
	"esc01":      {486, ""},
	"escnull":    {405, "allow"},
	"esc02":      {501, "allow"}, // RE%47IST%45R is not REGISTER
	"lwsdisp":    {200, ""},
	"longreq":    {486, ""},
	"dblreq":     {405, "allow"}, // and the INVITE behind it is not there
	"semiuri":    {200, ""},
	"transports": {200, ""},
	"mpart01":    {405, "allow"},
	"unreason":   {0, ""},
	"noreason":   {0, ""},
	"badinv01":   {400, ""},
	"clerr":      {400, ""},
	"ncl":        {400, ""},
	"scalar02":   {400, ""},
	"scalarlg":   {0, ""},
	"quotbal":    {400, ""},
	"ltgtruri":   {400, ""},
	"lwsruri":    {400, ""},
	"lwsstart":   {400, ""},
	"trws":       {400, ""},
	"escruri":    {400, ""},
	"baddate":    {486, ""}, // the Date says nothing that a call needs
	"regbadct":   {400, ""},
	"badaspec":   {400, ""},
	"baddn":      {200, ""}, // clear in spite of the missing quotes
	"badvers":    {505, ""},
	"mismatch01": {400, ""},
	"mismatch02": {400, ""},
	"bigcode":    {0, ""},
	"badbranch":  {200, ""},
	"insuf":      {400, ""},
	"unkscm":     {416, ""},
	"novelsc":    {416, ""},
	"unksm2":     {405, "allow"},
	"bext01":     {420, "unsupported"},
	"invut":      {415, "accept"},
	"regaut01":   {405, "allow"},
	"multi01":    {400, ""},
	"mcl01":      {400, ""},
	"bcast":      {0, ""},
	"zeromf":     {200, ""},
	"cparam01":   {405, "allow"},
	"cparam02":   {405, "allow"},
	"regescrt":   {405, "allow"},
	"sdp01":      {406, "accept"},
	"inv2543":    {486, ""},
}

// onPort makes a raw peer on a fixed port of a loopback address of its own: a
// Via without rport has its answers sent there.
func onPort(t *testing.T, u *UA, port int) *raw {
	t.Helper()
	for try := 0; ; try++ {
		at := &net.UDPAddr{IP: net.IPv4(127, byte(1+rand.IntN(250)), byte(rand.IntN(250)), byte(1+rand.IntN(250))), Port: port}
		conn, err := net.ListenUDP("udp", at)
		if err == nil {
			t.Cleanup(func() { _ = conn.Close() })
			return &raw{t: t, conn: conn, to: net.UDPAddrFromAddrPort(u.Addr())}
		}
		if try == 20 {
			t.Fatal(err)
		}
	}
}

// refusing declines every call.
func refusing(t *testing.T, o Options) *UA {
	t.Helper()
	o.OnInvite = func(in *Incoming) {
		if err := in.Reject(486, "Busy Here"); err != nil {
			t.Errorf("Reject: %v", err)
		}
	}
	return newUA(t, o)
}

// reply is a response as it came, for those to requests that cannot be parsed
// cannot be either.
type reply struct {
	message.Text
	raw    string
	status int
}

func newReply(t *testing.T, data []byte) *reply {
	t.Helper()
	m, wrong := message.Read(data)
	parts := strings.SplitN(m.Start, " ", 3)
	if wrong != nil || len(parts) != 3 || parts[0] != "SIP/2.0" {
		t.Fatalf("no response:\n%s", data)
	}
	status, err := strconv.Atoi(parts[1])
	if err != nil {
		t.Fatalf("no status:\n%s", data)
	}
	return &reply{m, string(data), status}
}

// final returns the next final response, or nil within d.
func (r *raw) final(d time.Duration) *reply {
	r.t.Helper()
	if err := r.conn.SetReadDeadline(time.Now().Add(d)); err != nil {
		r.t.Fatal(err)
	}
	buf := make([]byte, 64<<10)
	for {
		n, err := r.conn.Read(buf)
		if err != nil {
			return nil
		}
		if res := newReply(r.t, buf[:n]); res.status >= 200 {
			return res
		}
	}
}

func TestTortureUDP(t *testing.T) {
	t.Parallel()
	messages := torture(t, "rfc4475.txt")
	if len(messages) != 49 || len(verdicts) != 49 {
		t.Errorf("%d messages and %d verdicts, want 49", len(messages), len(verdicts))
	}
	ask(t, messages, verdicts, map[string]int{"quotbal": 5050})
}

// TestTortureIPv6 is RFC 5118.
func TestTortureIPv6(t *testing.T) {
	t.Parallel()
	ask(t, torture(t, "rfc5118.txt"), map[string]sentence{
		"ipv6-good":                     {405, "allow"},
		"ipv6-bad":                      {400, ""}, // no brackets
		"port-ambiguous":                {405, "allow"},
		"port-unambiguous":              {405, "allow"},
		"via-received-param-with-delim": {481, ""},
		"via-received-param-no-delim":   {200, ""},
		"ipv6-in-sdp":                   {486, ""},
		"mult-ip-in-header":             {481, ""},
		"mult-ip-in-sdp":                {486, ""},
		"ipv4-mapped-ipv6":              {486, ""},
		"ipv6-bug-abnf-3-colons":        {200, ""}, // tolerated
		"ipv6-correct-abnf-2-colons":    {200, ""},
	}, map[string]int{"mult-ip-in-header": 6050, "ipv4-mapped-ipv6": 19823})
}

// ask sends each message from the port that its Via names, 5060 where ports
// has no other, and checks the answer.
func ask(t *testing.T, messages map[string][]byte, verdicts map[string]sentence, ports map[string]int) {
	t.Helper()
	u := refusing(t, Options{})
	for name, data := range messages {
		t.Run(name, func(t *testing.T) {
			port := ports[name]
			if port == 0 {
				port = 5060
			}
			r := onPort(t, u, port)
			if _, err := r.conn.WriteTo(data, r.to); err != nil {
				t.Fatal(err)
			}
			// What shall not be answered is followed by something that is.
			r.send(r.ask("OPTIONS", target, peerFrom, ourTo, "after-"+name, 1, "", ""))
			var answers []*reply
			for after, want := false, verdicts[name].status; !after || want == 486 && len(answers) == 0; {
				res := r.final(5 * time.Second)
				if res == nil {
					t.Fatal("the user agent is silent")
				}
				if id, _ := res.Get("call-id"); id == "after-"+name {
					after = true // calls are decided on a goroutine of their own, maybe later
					continue
				}
				answers = append(answers, res)
			}
			judge(t, name, verdicts[name], answers)
		})
	}
}

// judge compares what came back with the verdict.
func judge(t *testing.T, name string, want sentence, answers []*reply) {
	t.Helper()
	if want.status == 0 {
		if len(answers) != 0 {
			t.Errorf("answered\n%s", answers[0].raw)
		}
		return
	}
	if len(answers) == 0 {
		t.Fatal("no answer")
	}
	for _, res := range answers[1:] { // the same again, for it was not acknowledged
		if res.raw != answers[0].raw {
			t.Errorf("answered\n%s\nthen\n%s", answers[0].raw, res.raw)
		}
	}
	res := answers[0]
	if _, ok := res.Get(want.header); res.status != want.status || want.header != "" && !ok {
		t.Errorf("answered\n%s\nwant %d with %q", res.raw, want.status, want.header)
	}
	if name != "intmeth" && strings.ContainsRune(res.raw, 0) {
		t.Errorf("a zero byte in\n%q", res.raw)
	}
}

// TestTortureContents: what is accepted says what its sender meant, and says
// the same when it is written and read again.
func TestTortureContents(t *testing.T) {
	u := newUA(t, Options{})
	contents := map[string]func(wire.Message) []string{
		"wsinv": func(m wire.Message) []string {
			req := m.(*wire.Request)
			vias := m.GetHeaders("Via")
			out := []string{string(req.Method), m.CSeq().Value(), req.MaxForwards().Value(), m.To().Address.String(), param(m.To().Params, "tag"), param(m.From().Params, "tag"),
				m.From().DisplayName, req.Contact().Address.String(), param(req.Contact().Params, "secondparam"), param(req.Contact().Params, "q")}
			for _, v := range vias {
				out = append(out, v.Value())
			}
			return out
		},
		"intmeth": func(m wire.Message) []string {
			return []string{string(m.(*wire.Request).Method), param(m.From().Params, "tag"), m.From().Address.User, m.CallID().Value(), param(m.Via().Params, "branch"),
				m.(*wire.Request).Recipient.Host}
		},
		"esc01": func(m wire.Message) []string {
			return []string{m.(*wire.Request).Recipient.User, m.To().Address.User, m.(*wire.Request).Contact().Address.User}
		},
		"escnull": func(m wire.Message) []string {
			return []string{m.To().Address.User, m.GetHeaders("Contact")[1].(*wire.ContactHeader).Address.User}
		},
		"esc02":   func(m wire.Message) []string { return []string{fmt.Sprint(len(m.GetHeaders("Contact")))} },
		"lwsdisp": func(m wire.Message) []string { return []string{m.From().DisplayName, m.From().Address.String()} },
		"longreq": func(m wire.Message) []string {
			return []string{fmt.Sprint(len(m.GetHeaders("Via"))), m.Via().Host, fmt.Sprint(m.To().Address.Port), fmt.Sprint(len(m.Body()))}
		},
		"dblreq":   func(m wire.Message) []string { return []string{fmt.Sprint(len(m.Body())), m.CallID().Value()} },
		"semiuri":  func(m wire.Message) []string { u := m.(*wire.Request).Recipient; return []string{u.User, u.Host} },
		"unreason": func(m wire.Message) []string { return []string{m.(*wire.Response).Reason} },
		"noreason": func(m wire.Message) []string {
			return []string{fmt.Sprint(m.(*wire.Response).StatusCode), m.(*wire.Response).Reason}
		},
		"mpart01": func(m wire.Message) []string { return []string{fmt.Sprint(len(m.Body()))} },
		"inv2543": func(m wire.Message) []string {
			return []string{number(m.From().Address), number(m.To().Address), param(m.To().Params, "user")}
		},
		"baddn": func(m wire.Message) []string { return []string{m.From().DisplayName, m.To().DisplayName} },
	}
	want := map[string]string{
		"wsinv": `INVITE|9 INVITE|68|sip:vivekg@chair-dnrc.example.com|1918181833n|98asjd8|J Rosenberg \\\"|sip:jdrosen@example.com||0.33|` +
			`SIP/2.0/UDP 192.0.2.2;branch=390skdjuw|SIP/2.0/TCP spindle.example.com;branch=z9hG4bK9ikj8|SIP/2.0/UDP 192.168.255.111;branch=z9hG4bK30239`,
		"intmeth":  "!interesting-Method0123456789_*+`.%indeed'~|_token~1'+`*%!-.|mundane|intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{|z9hG4bK-.!%66*_+`'~|example.com",
		"esc01":    "sips%3Auser%40example.com|%75se%72|cal%6Cer",
		"escnull":  "null-%00-null|%00%00",
		"esc02":    "2",
		"lwsdisp":  "caller|sip:caller@example.com",
		"longreq":  "34|sip33.example.com|6000|150",
		"dblreq":   "0|dblreq.0ha0isndaksdj99sdfafnl3lk233412",
		"semiuri":  "user;par=u%40example.net|example.com",
		"unreason": "= 2**3 * 5**2 но сто девяносто девять - простое",
		"noreason": "100|",
		"mpart01":  "553",
		"inv2543":  "+13035551111|+16505552222|phone",
		"baddn":    "Bell, Alexander|Watson, Thomas",
	}
	for name, data := range torture(t, "rfc4475.txt") {
		m, _, wrong := u.understand(data, false)
		if wrong != nil {
			if s := verdicts[name].status; s != wrong.Status && s != 0 {
				t.Errorf("%s: %d %s", name, wrong.Status, wrong.Reason)
			}
			continue
		}
		if f := contents[name]; f != nil {
			if got := strings.Join(f(m), "|"); got != want[name] {
				t.Errorf("%s says\n%s\nwant\n%s", name, got, want[name])
			}
			delete(contents, name)
		}
		written := m.String()
		again, _, wrong := u.understand([]byte(written), true)
		if wrong != nil {
			t.Errorf("%s: what we write of it has a fault: %s\n%s", name, wrong.Reason, written)
			continue
		}
		if rewritten := again.String(); rewritten != written {
			t.Errorf("%s: written\n%q\nthen\n%q", name, written, rewritten)
		}
	}
	if len(contents) != 0 {
		t.Errorf("%d messages were not understood", len(contents))
	}
}

func param(p wire.HeaderParams, name string) string { v, _ := p.Get(name); return v }
