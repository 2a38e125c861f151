package doctor

import (
	"context"
	"errors"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/rtp"
	"github.com/callwright/callwright/internal/sip"
	"github.com/callwright/callwright/internal/speech"
	"github.com/callwright/callwright/internal/speech/speechtest"
	"github.com/callwright/callwright/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// look runs one part of an examination and returns what it found.
func look(o Options, part func(*examination)) []Finding {
	var all []Finding
	part(&examination{Options: o, found: func(f Finding) { all = append(all, f) }})
	return all
}

// found checks that one finding has the state and contains the words, in its
// text or its advice.
func found(t *testing.T, all []Finding, state State, words string) {
	t.Helper()
	for _, f := range all {
		if f.State == state && strings.Contains(f.Text+" → "+f.Advice, words) {
			if state != OK && f.Advice == "" {
				t.Errorf("%q says nothing of what to do", f.Text)
			}
			return
		}
	}
	t.Errorf("no finding is %s with %q: %+v", state, words, all)
}

func local(port int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port))
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx := t.Context()
	file := filepath.Join(dir, "file")
	open := filepath.Join(dir, "open")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Mkdir(open, 0o750), os.Chmod(open, 0o755)); err != nil { //nolint:gosec // that is the fault to be found
		t.Fatal(err)
	}
	check := func(path string) []Finding {
		return look(Options{Data: path}, func(x *examination) { x.directory(ctx) })
	}
	found(t, check(filepath.Join(dir, "a", "b")), OK, "the first start makes it")
	found(t, check(file), Broken, "is a file")
	found(t, check(open), Warning, "chmod 700")
	found(t, check("/proc/nowhere"), Broken, "cannot be made")
	if err := os.Chmod(open, 0o700); err != nil { //nolint:gosec // a directory
		t.Fatal(err)
	}
	found(t, check(open), OK, "a write is safe on disk")
	for free, state := range map[uint64]State{noBytes - 1: Broken, noBytes: Warning, fewBytes - 1: Warning, fewBytes: OK} {
		words := map[State]string{Broken: "MB left", Warning: "hours of recordings", OK: "GB are free"}
		found(t, look(Options{}, func(x *examination) { x.space(open, free) }), state, words[state])
	}
	if left, err := os.ReadDir(open); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestHTTPAddress(t *testing.T) {
	t.Parallel()
	check := func(address string) []Finding {
		return look(Options{HTTP: address}, func(x *examination) { x.http(t.Context()) })
	}
	stranger := httptest.NewServer(http.NotFoundHandler())
	defer stranger.Close()
	found(t, check(stranger.Listener.Addr().String()), Broken, "in use by another program")
	ours := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"info":{"title":"Callwright","version":"1"}}`))
	}))
	defer ours.Close()
	found(t, check(ours.Listener.Addr().String()), OK, "a Callwright server")
	found(t, check("127.0.0.1:0"), OK, "free")
	found(t, check("192.0.2.1:8080"), Broken, "--http")
	found(t, check("nonsense"), Broken, "--http")
}

func TestSIPAddress(t *testing.T) {
	t.Parallel()
	check := func(at netip.AddrPort) []Finding {
		return look(Options{SIP: at}, func(x *examination) { x.sip(t.Context()) })
	}
	found(t, check(local(0)), OK, "free")
	found(t, check(newPeer(t, peer{server: "OtherPBX 1"}).addr()), Broken, "another SIP program (OtherPBX 1)")
	found(t, check(newPeer(t, peer{silent: true}).addr()), Warning, "does not answer OPTIONS")
	ua, err := sip.New(sip.Options{Listen: local(0)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ua.Close() }()
	found(t, check(ua.Addr()), OK, "a Callwright server answers")
	found(t, check(netip.MustParseAddrPort("192.0.2.1:5060")), Broken, "--sip")
}

func TestPortsForSound(t *testing.T) {
	t.Parallel()
	check := func(lo, hi int) []Finding {
		return look(Options{SIP: local(0), Ports: rtp.PortRange{Min: lo, Max: hi}}, func(x *examination) { x.rtp(t.Context()) })
	}
	found(t, check(0, 0), OK, "the system chooses")
	found(t, check(41000, 41009), Warning, "room for 5 calls")
	found(t, check(42000, 51999), OK, "room for 5000 calls")
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	port := c.LocalAddr().(*net.UDPAddr).Port &^ 1
	second, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err == nil {
		defer func() { _ = second.Close() }()
	}
	found(t, check(port, port+1), Broken, "are in use")
}

func TestAddressesOfTrunks(t *testing.T) {
	t.Parallel()
	at := func(ips ...string) []trunkCheck {
		var list []trunkCheck
		for _, ip := range ips {
			list = append(list, trunkCheck{Trunk: domain.Trunk{Name: "at " + ip}, addrs: []netip.Addr{netip.MustParseAddr(ip)}})
		}
		return list
	}
	for _, c := range []struct {
		sip, external string
		trunks        []trunkCheck
		state         State
		words         string
	}{
		{"127.0.0.1:5060", "", nil, OK, "no trunk leads"},
		{"127.0.0.1:5060", "", at("127.0.0.1"), OK, "no trunk leads"},
		{"127.0.0.1:5060", "", at("127.0.0.1", "10.0.0.9"), Broken, "--sip 0.0.0.0:5060"},
		{"127.0.0.1:5060", "", at("10.0.0.9", "198.51.100.7"), Broken, "198.51.100.7"},
		{"10.0.0.5:5060", "10.0.0.6", at("198.51.100.7"), Broken, "private address"},
		{"10.0.0.5:5060", "100.64.0.6", at("198.51.100.7"), Broken, "private address"},
		{"10.0.0.5:5060", "", at("198.51.100.7"), Warning, "behind NAT"},
		{"10.0.0.5:5060", "", at("10.0.0.9"), OK, "needs no translation"},
		{"203.0.113.5:5060", "", at("198.51.100.7"), OK, "needs no translation"},
		{"10.0.0.5:5060", "203.0.113.9", at("198.51.100.7"), OK, "must forward UDP 5060"},
		{"0.0.0.0:5060", "127.0.0.1", at("10.0.0.9"), OK, "an address of this machine"},
		{"0.0.0.0:5060", "here", at("10.0.0.9"), Broken, "not an IP address"},
	} {
		o := Options{SIP: netip.MustParseAddrPort(c.sip), ExternalIP: c.external}
		found(t, look(o, func(x *examination) { x.nat(c.trunks) }), c.state, c.words)
	}
}

func TestTrunks(t *testing.T) {
	t.Parallel()
	trunk := func(p *peer, change func(*trunkCheck)) trunkCheck {
		c := trunkCheck{numbers: 1, Trunk: domain.Trunk{ID: "t1", Name: "home", Host: "127.0.0.1", Transport: "udp", Port: int(p.addr().Port())}}
		if change != nil {
			change(&c)
		}
		c.resolve(t.Context())
		return c
	}
	check := func(c trunkCheck) []Finding {
		return look(Options{SIP: local(0)}, func(x *examination) { x.trunks(t.Context(), []trunkCheck{c}) })
	}
	good := newPeer(t, peer{server: "PBX", password: "right"})
	found(t, look(Options{}, func(x *examination) { x.trunks(t.Context(), nil) }), OK, "no SIP trunk")
	found(t, check(trunk(good, nil)), OK, "trunk home (PBX) answers")
	found(t, check(trunk(good, func(c *trunkCheck) { c.numbers = 0 })), Warning, "phone-numbers")
	register := func(password string) func(*trunkCheck) {
		return func(c *trunkCheck) { c.Register, c.Username, c.Password = true, "me", password }
	}
	found(t, check(trunk(good, register("right"))), OK, "takes the password of me")
	found(t, check(trunk(good, register("wrong"))), Broken, "username or password")
	quiet := newPeer(t, peer{silent: true, password: "right"})
	found(t, check(trunk(quiet, nil)), Broken, "let the firewall pass UDP")
	found(t, check(trunk(quiet, register("right"))), OK, "takes the password of me")
	found(t, check(trunk(newPeer(t, peer{seen: "203.0.113.8"}), nil)), Warning, "--external-ip 203.0.113.8")
	found(t, check(trunk(good, func(c *trunkCheck) { c.Host = "nowhere.invalid" })), Broken, "cannot be resolved")
	found(t, check(trunk(good, func(c *trunkCheck) { c.Transport = "tcp" })), Broken, "nobody listens there")
	plain, err := sip.New(sip.Options{Listen: local(0), TCP: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = plain.Close() }()
	found(t, check(trunk(good, func(c *trunkCheck) { c.Transport, c.Port = "tls", int(plain.Addr().Port()) })), Broken, "trunk home at")
}

func TestDatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	read := func(o Options) (list []trunkCheck, all []Finding) {
		all = look(o, func(x *examination) { list = x.database(t.Context()) })
		return list, all
	}
	_, all := read(Options{Data: dir})
	found(t, all, OK, "the first start makes one")
	db, err := store.Open(t.Context(), store.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	err = db.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
		w := &domain.Workspace{ID: domain.NewID(), Name: "w", Plan: domain.Starter, Timezone: "UTC", CreatedAt: now}
		one := &domain.Trunk{ID: domain.NewID(), WorkspaceID: w.ID, Mode: domain.Live, Name: "one", Carrier: domain.CarrierSIP,
			Host: "127.0.0.1", Port: 5060, Transport: "udp", SRTP: "off", CallsPerSecond: 1, MaxCalls: 1, Version: 1, CreatedAt: now, UpdatedAt: now}
		n := &domain.PhoneNumber{ID: domain.NewID(), WorkspaceID: w.ID, Mode: domain.Live, Number: "+15550001111", TrunkID: one.ID, Version: 1, CreatedAt: now, UpdatedAt: now}
		return errors.Join(s.Workspaces.Create(ctx, w), s.Trunks.Create(ctx, one), s.Numbers.Create(ctx, n))
	})
	if err != nil {
		t.Fatal(err)
	}
	list, all := read(Options{Data: dir, Key: store.KeyFile(dir)}) // beside the server that has it open
	found(t, all, Warning, "kept as they are")
	found(t, all, OK, "the database opens")
	if len(list) != 1 || list[0].Name != "one" || list[0].numbers != 1 || len(list[0].addrs) != 1 {
		t.Errorf("trunks: %+v", list)
	}
	if err := os.WriteFile(filepath.Join(t.TempDir(), "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "secret.key")); err == nil {
		t.Error("looking has made a key")
	}
	sealed, err := store.Open(t.Context(), store.Options{Dir: dir, Key: store.KeyFile(dir)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sealed.Close() }()
	_, all = read(Options{Data: dir, Key: store.KeyFile(dir)})
	found(t, all, OK, "the key from "+filepath.Join(dir, "secret.key")+" opens them")
	_, all = read(Options{Data: dir, Key: store.KeyFile(t.TempDir())})
	found(t, all, Broken, "CALLWRIGHT_SECRET_KEY")
	bad := t.TempDir()
	if err := os.WriteFile(filepath.Join(bad, store.File), []byte(strings.Repeat("this is no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, all = read(Options{Data: bad})
	found(t, all, Broken, "cannot be used")
	_, all = read(Options{Data: dir, Database: "oracle://scott:tiger@h/db"})
	found(t, all, Broken, "scheme")
	for _, f := range all {
		if strings.Contains(f.Text, "tiger") {
			t.Error("a password is shown")
		}
	}
}

// voice speaks as it is told to.
type voice struct {
	err    error
	silent bool
}

func (voice) Name() string           { return "voice" }
func (voice) Voices() []speech.Voice { return nil }

func (v voice) Speak(_ context.Context, _, _ string, out audio.Writer) error {
	if v.err != nil {
		return v.err
	}
	if v.silent {
		return out.WriteFrame(make([]int16, 160))
	}
	return (&speechtest.Tone{}).Speak(context.Background(), "", "hello", out)
}

// model answers as it is told to.
type model struct {
	text string
	err  error
}

func (model) Name() string { return "model" }

func (m model) Chat(context.Context, speech.Request) iter.Seq2[speech.Chunk, error] {
	return func(yield func(speech.Chunk, error) bool) {
		if m.err != nil {
			yield(speech.Chunk{}, m.err)
			return
		}
		yield(speech.Chunk{Text: m.text}, nil)
	}
}

func TestEngines(t *testing.T) {
	t.Parallel()
	refused := &speech.Error{Engine: "voice", Err: errors.New("401: the key is wrong")}
	busy := &speech.Error{Engine: "voice", Err: errors.New("429"), Retryable: true}
	speak := func(v ...speech.TTS) []Finding {
		return look(Options{Voices: v}, func(x *examination) { x.voices(t.Context()) })
	}
	found(t, speak(), Broken, "there is no voice")
	found(t, speak(voice{}), OK, "voice speaks")
	found(t, speak(voice{silent: true}), Broken, "gives silence")
	found(t, speak(voice{err: refused}), Broken, "the key is wrong → look at url, key")
	found(t, speak(voice{err: busy}), Broken, "try again")
	think := func(m ...speech.LLM) []Finding {
		return look(Options{Models: m}, func(x *examination) { x.models(t.Context()) })
	}
	found(t, think(), Warning, "no model thinks")
	found(t, think(model{text: "ready"}), OK, "model answers")
	found(t, think(model{}), Broken, "answered with nothing")
	found(t, think(model{err: refused}), Broken, "the key is wrong")
}

func TestEars(t *testing.T) {
	t.Parallel()
	script := &speechtest.Script{Lines: []speechtest.Line{{Text: "this is a test call", Final: true}}}
	o := Options{Voices: []speech.TTS{voice{}}, Ears: []speech.STT{script}}
	done := make(chan []Finding)
	go func() { done <- look(o, func(x *examination) { x.ears(t.Context()) }) }()
	found(t, <-done, OK, "it understood")
	found(t, look(Options{}, func(x *examination) { x.ears(t.Context()) }), Warning, "no engine hears")
}

func TestExamine(t *testing.T) {
	t.Parallel()
	var all []Finding
	broken := Examine(t.Context(), Options{
		Data: t.TempDir(), HTTP: "127.0.0.1:0", SIP: local(0), Voices: []speech.TTS{voice{}, voice{silent: true}},
	}, func(f Finding) { all = append(all, f) })
	if broken != 1 {
		t.Errorf("%d are broken: %+v", broken, all)
	}
	areas := map[string]bool{}
	for _, f := range all {
		areas[f.Area] = true
		if f.Text == "" || strings.HasSuffix(f.Text, ".") {
			t.Errorf("text %q", f.Text)
		}
	}
	for _, area := range []string{"data", "database", "http", "sip", "rtp", "nat", "trunk", "voice", "hearing", "model", "time"} {
		if !areas[area] {
			t.Errorf("nothing is said of %s", area)
		}
	}
}
