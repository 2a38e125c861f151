package webhook

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// nameServer answers every question for an IPv4 address with what answer says
// now, and lets nobody keep it.
func nameServer(t *testing.T, answer func() []string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Additionals = true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				for _, addr := range answer() {
					m.Answers = append(m.Answers, dnsmessage.Resource{
						Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
						Body:   &dnsmessage.AResource{A: netip.MustParseAddr(addr).As4()},
					})
				}
			}
			if packed, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(packed, from) // who asks asks again
			}
		}
	})
	t.Cleanup(func() {
		_ = conn.Close() // the server ends with it
		served.Wait()
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// TestNamesThatMove: a name that leads to a receiver when it is registered, or for
// one try, leads nowhere else afterwards. 127.0.0.2 is allowed here, and all else
// is not.
func TestNamesThatMove(t *testing.T) {
	var mu sync.Mutex
	var reached []string
	listener, err := net.Listen("tcp4", "0.0.0.0:0") //nolint:gosec // every address of this machine is what is tried
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		at, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		host, _, _ := net.SplitHostPort(at.String())
		reached = append(reached, host)
	})}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	var now atomic.Pointer[[]string]
	trip := transport(guard{allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}, only: true}, nameServer(t, func() []string { return *now.Load() }))
	client := &http.Client{Transport: trip, Timeout: 5 * time.Second}
	for i, c := range []struct {
		answers []string
		ok      bool
	}{
		{[]string{"127.0.0.2"}, true}, {[]string{"127.0.0.1"}, false}, {[]string{"127.0.0.2"}, true}, {[]string{"127.0.0.3", "127.0.0.1"}, false},
		{[]string{"127.0.0.1", "127.0.0.2"}, true}, {[]string{"169.254.169.254"}, false}, {[]string{"0.0.0.0"}, false}, {nil, false}, {[]string{"127.0.0.2"}, true},
	} {
		now.Store(&c.answers)
		trip.CloseIdleConnections() // each try looks the name up
		res, err := client.Post("http://hooks.example:"+port+"/", "", strings.NewReader("{}"))
		if err == nil {
			_ = res.Body.Close()
		}
		if (err == nil) != c.ok {
			t.Errorf("try %d, when the name is %v: %v", i, c.answers, err)
		}
	}
	trip.CloseIdleConnections()
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(reached, []string{"127.0.0.2", "127.0.0.2", "127.0.0.2", "127.0.0.2"}) {
		t.Errorf("reached: %v", reached)
	}
}

// TestNoWayAround: no redirect of any kind leads further, and no proxy of the
// environment is used.
func TestNoWayAround(t *testing.T) {
	var inside atomic.Int32
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { inside.Add(1) }))
	defer target.Close()
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		t.Setenv(name, target.URL)
	}
	t.Setenv("NO_PROXY", "")
	codes := []int{300, 301, 302, 303, 305, 307, 308}
	hops := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hops++
		var code int
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &code)
		w.Header().Set("Location", []string{target.URL, "/301", "//127.0.0.1:1/", "file:///etc/passwd"}[hops%4])
		w.Header().Set("Refresh", "0; url="+target.URL)
		w.WriteHeader(code)
	}))
	defer server.Close()
	client := NewClient([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, time.Second)
	defer client.CloseIdleConnections()
	for range 4 {
		for _, code := range codes {
			res, err := client.Post(fmt.Sprintf("%s/%d", server.URL, code), "", strings.NewReader("{}"))
			if err != nil {
				t.Fatalf("%d: %v", code, err)
			}
			if err := res.Body.Close(); err != nil || res.StatusCode != code {
				t.Errorf("%d became %d: %v", code, res.StatusCode, err)
			}
		}
	}
	if hops != 4*len(codes) || inside.Load() != 0 {
		t.Errorf("%d requests were made, %d of them elsewhere", hops, inside.Load())
	}
}

// TestHostileAnswersStaySmall has many receivers at once answer without an end, in
// head and body, slowly, or not in HTTP: each is done within the timeout, and the
// heap does not grow by what they sent.
func TestHostileAnswersStaySmall(t *testing.T) {
	const timeout = 200 * time.Millisecond
	flood := bytes.Repeat([]byte("x"), 32<<10)
	answers := map[string]func(net.Conn){
		"an endless body": func(c net.Conn) { forever(c, "HTTP/1.1 200 OK\r\n\r\n", flood) },
		"endless chunks": func(c net.Conn) {
			forever(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", append([]byte("8000\r\n"), append(flood, "\r\n"...)...))
		},
		"an endless header": func(c net.Conn) { forever(c, "HTTP/1.1 200 OK\r\nX-Long: ", flood) },
		"endless headers":   func(c net.Conn) { forever(c, "HTTP/1.1 200 OK\r\n", []byte("X-More: yes\r\n")) },
		"an endless status": func(c net.Conn) { forever(c, "HTTP/1.1 200 ", flood) },
		"endless 103":       func(c net.Conn) { forever(c, "", []byte("HTTP/1.1 103 Early Hints\r\n\r\n")) },
		"a length of 2^62":  func(c net.Conn) { forever(c, "HTTP/1.1 200 OK\r\nContent-Length: 4611686018427387904\r\n\r\n", flood) },
		"a bomb":            func(c net.Conn) { forever(c, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", flood) },
		"endless trailers": func(c net.Conn) {
			forever(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", []byte("X-More: yes\r\n"))
		},
		"not HTTP":      func(c net.Conn) { forever(c, "220 mail.example ESMTP\r\n", flood) },
		"nothing":       func(c net.Conn) { _, _ = io.Copy(io.Discard, c) },
		"half a status": func(c net.Conn) { _, _ = c.Write([]byte("HTTP/1.1 2")); _, _ = io.Copy(io.Discard, c) },
		"a body that is late": func(c net.Conn) {
			_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"))
			_, _ = io.Copy(io.Discard, c)
		},
	}
	client := NewClient([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, timeout)
	defer client.CloseIdleConnections()
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			url := hostile(t, answer)
			before := heap()
			began := time.Now()
			var all sync.WaitGroup
			for range 16 {
				all.Go(func() {
					res, err := client.Post(url, "", strings.NewReader("{}"))
					if err != nil {
						return
					}
					if kept := head(res.Body); len(kept) > keptBytes {
						t.Errorf("%d bytes are kept", len(kept))
					}
					_ = res.Body.Close()
				})
			}
			all.Wait()
			if took := time.Since(began); took > 100*timeout {
				t.Errorf("it took %s", took)
			}
			client.CloseIdleConnections()
			if grown := heap() - before; grown > 8<<20 {
				t.Errorf("the heap grew by %d bytes", grown)
			}
		})
	}
}

// heap is what is in use after a collection.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // no heap is so large
}

// forever writes more after a beginning, until nobody reads any more.
func forever(c net.Conn, beginning string, more []byte) {
	_, err := c.Write([]byte(beginning))
	for err == nil {
		_, err = c.Write(more)
	}
}

// hostile is a server that answers each connection's request with answer.
func hostile(t *testing.T, answer func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			served.Go(func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
				_, _ = conn.Read(make([]byte, 4096))
				answer(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close() // the server ends with it
		served.Wait()
	})
	return "http://" + listener.Addr().String()
}
