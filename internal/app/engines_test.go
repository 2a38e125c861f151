package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/callwright/callwright/internal/app"
	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/config"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/provider/providertest"
	"github.com/callwright/callwright/internal/sip/siptest"
)

// politeCaller is the sound of a peer who says something each time the agent has
// fallen silent. Its clock is the agent's packets.
type politeCaller struct {
	mu    sync.Mutex
	says  []time.Duration // how long each of its turns lasts
	heard bool            // the agent has said something since the last
	quiet int             // packets since it did
	left  int             // packets of the turn under way
	n     uint16
	at    int
}

func (p *politeCaller) take(peer *rtpPeer, raw []byte) {
	var in rtp.Packet
	if in.Unmarshal(raw) != nil || len(in.Payload) != 160 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	frame := make([]int16, 160)
	audio.DecodeULaw(frame, in.Payload)
	if p.quiet++; audio.Level(frame) > 0.01 {
		p.heard, p.quiet = true, 0
	}
	if p.heard && p.quiet > 25 && p.left == 0 && len(p.says) > 0 {
		p.left, p.says, p.heard = int(p.says[0]/audio.FrameDuration), p.says[1:], false
	}
	clear(frame)
	if p.left > 0 {
		p.left--
		p.vowel(frame)
	}
	out := rtp.Packet{Header: rtp.Header{Version: 2, SSRC: 9, SequenceNumber: p.n, Timestamp: uint32(p.n) * 160}, Payload: make([]byte, 160)}
	audio.EncodeULaw(out.Payload, frame)
	p.n++
	if answer, err := out.Marshal(); err == nil {
		peer.send(answer)
	}
}

// vowel fills a frame with a voice: harmonics of 130 Hz under a formant, swelling
// as syllables do.
func (p *politeCaller) vowel(frame []int16) {
	for i := range frame {
		at := float64(p.at) / 8000
		p.at++
		v := 0.0
		for h := 1.0; h <= 20; h++ {
			v += math.Sin(2*math.Pi*130*h*at) * math.Exp(-(130*h-600)*(130*h-600)/3e5)
		}
		frame[i] = int16(3000 * v * (0.7 + 0.3*math.Sin(2*math.Pi*4*at)))
	}
}

// services are a model, a voice and an ear, and what a tool of the model asks.
type services struct {
	model *providertest.Model
	voice *providertest.Voice
	ear   *providertest.Ear
	url   string

	mu    sync.Mutex
	asked []string // of the tool
}

func (s *services) tune(c *config.Config) {
	c.LLM = fmt.Sprintf(`[{engine: openai, url: "%s/down/v1", model: gone}, {engine: openai, name: local, url: "%s/v1", key: sk-1, model: small}]`, s.url, s.url)
	c.TTS = fmt.Sprintf(`[{engine: openai, url: "%s/v1", voice: nova}]`, s.url)
	c.STT = fmt.Sprintf(`[{engine: deepgram, url: "%s/v1", key: dg-1, options: {endpointing: 200}}]`, s.url)
}

// serve starts them; hears is what the caller says, a turn after the other.
func (s *services) serve(t *testing.T, hears []string) {
	t.Helper()
	s.voice = &providertest.Voice{Keep: true, First: 50 * time.Millisecond}
	s.ear = &providertest.Ear{Final: 100 * time.Millisecond, Hear: func(n int, _ time.Duration) string {
		if n < len(hears) {
			return hears[n]
		}
		return ""
	}}
	mux := http.NewServeMux()
	mux.Handle("/v1/", providertest.All(s.model, s.voice, s.ear))
	mux.Handle("/down/", &providertest.Replay{Status: 503})
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		s.asked = append(s.asked, r.Header.Get("X-Shop")+" "+string(raw))
		s.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"status":"sent","eta":"Friday"}`)
	})
	server, err := providertest.Start(mux)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	s.url = server.URL
}

// TestCallWithServices is a call in which the caller's sound is understood by one
// service, another thinks and calls a tool, and a third talks.
func TestCallWithServices(t *testing.T) {
	t.Parallel()
	s := &services{model: &providertest.Model{Keep: true, Each: 10 * time.Millisecond, Reply: func(a providertest.Asked) providertest.Reply {
		switch last := a.Last(); {
		case last.Role == "tool":
			return providertest.Say("It was sent and comes on Friday.")
		case strings.Contains(last.Content, "order seventeen"):
			return providertest.Say("Let me see.").Calling("find_order", `{"number":17}`)
		case strings.Contains(last.Content, "thank you"):
			return providertest.Say("Goodbye.").Calling("end_call", `{}`)
		}
		return providertest.Say("How can I help?")
	}}}
	s.serve(t, []string{"where is order seventeen", "great thank you"})
	h := open(t, setup{tune: s.tune})
	agent := h.agent(map[string]any{"model": "small", "language": "en-GB", "variables": map[string]any{"shop": "acme"}},
		map[string]any{"id": "talk", "type": "converse", "prompt": "You work for {{shop}}.", "tools": []any{map[string]any{
			"name": "find_order", "description": "Finds an order.", "url": s.url + "/orders", "headers": map[string]any{"X-Shop": "{{shop}}"},
			"parameters": map[string]any{"type": "object", "properties": map[string]any{"number": map[string]any{"type": "integer"}}, "required": []any{"number"}},
		}}})
	caller := &politeCaller{says: []time.Duration{1200 * time.Millisecond, time.Second}}
	media := newRTPPeer(t, caller.take)
	got := h.ended(h.dial(siptest.UAS(t, siptest.Scenario{Name: siptest.Answer, Media: media.addr}), nil, agent))
	h.wants(got, "completed", "flow-ended")
	var said []string
	for _, turn := range got.Turns {
		said = append(said, turn.Role+": "+turn.Text)
	}
	want := "agent: How can I help?\ncaller: where is order seventeen\nagent: Let me see.\nagent: It was sent and comes on Friday.\n" +
		"caller: great thank you\nagent: Goodbye."
	if text := strings.Join(said, "\n"); text != want {
		t.Errorf("transcript:\n%s\nwant:\n%s", text, want)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.asked) != 1 || s.asked[0] != `acme {"number":17}` {
		t.Errorf("the tool was asked %q", s.asked)
	}
	if query, key := s.ear.Opened(); !strings.Contains(query, "language=en-GB") || !strings.Contains(query, "endpointing=200") || key != "Token dg-1" {
		t.Errorf("the ear was opened with %s, %s", query, key)
	}
	asked := s.model.Asked()
	if len(asked) != 4 || asked[0].Key != "sk-1" || asked[0].Model != "small" || asked[0].Messages[0].Content != "You work for acme." {
		t.Fatalf("the model was asked %d times: %+v", len(asked), asked)
	}
	if last := asked[3].String(); !strings.Contains(last, `find_order{"number":17}`+"\n"+`tool: {"ok":true,"result":{"eta":"Friday","status":"sent"}}`) {
		t.Errorf("at last the model was told\n%s", last)
	}
	if texts := strings.Join(s.voice.Texts(), "|"); !strings.Contains(texts, "It was sent and comes on Friday.") {
		t.Errorf("the voice was asked for %s", texts)
	}
	detail := h.exact(got.ID)
	if detail.Voice != "openai/nova" || detail.Model != "local/small" {
		t.Errorf("the call names the voice %q and the model %q", detail.Voice, detail.Model)
	}
}

// TestAgentWithAPromptOnly talks with the next model when the first is down, in
// live mode, and takes the way that the model chooses.
func TestAgentWithAPromptOnly(t *testing.T) {
	t.Parallel()
	s := &services{model: &providertest.Model{Keep: true, Reply: func(a providertest.Asked) providertest.Reply {
		if strings.Contains(a.Messages[0].Content, "Answer with its number") {
			return providertest.Say("2")
		}
		return providertest.Say("Hello and goodbye.").Calling("end_call", `{}`)
	}}}
	s.serve(t, []string{"it does not work"})
	h := open(t, setup{tune: s.tune})
	var agent object
	h.post("/agents", map[string]any{"name": "Ava", "systemPrompt": "Be kind."}, &agent)
	peer := func(says ...time.Duration) *siptest.Peer {
		media := newRTPPeer(t, (&politeCaller{says: says}).take)
		return siptest.UAS(t, siptest.Scenario{Name: siptest.Answer, Media: media.addr})
	}
	got := h.ended(h.dial(peer(), nil, agent.ID))
	h.wants(got, "completed", "flow-ended")
	if len(got.Turns) != 1 || got.Turns[0].Text != "Hello and goodbye." {
		t.Errorf("turns %+v", got.Turns)
	}
	if notes := strings.Join(got.Notes, "; "); !strings.Contains(notes, "openai/gone failed") {
		t.Errorf("notes %q", notes)
	}

	edge := func(to, intent string) map[string]any {
		return map[string]any{"to": to, "kind": "intent", "intent": intent}
	}
	router := h.agent(nil,
		map[string]any{"id": "ask", "type": "ask", "text": "What is it?", "repeat": 0, "answer": "text",
			"edges": []any{edge("sales", "wants to buy"), edge("repair", "something is broken"), map[string]any{"to": "bye"}}},
		map[string]any{"id": "sales", "type": "end", "text": "Sales."},
		map[string]any{"id": "repair", "type": "end", "text": "Repairs."}, bye("Goodbye."))
	got = h.ended(h.dial(peer(time.Second), nil, router))
	h.wants(got, "completed", "flow-ended")
	if n := len(got.Turns); n != 3 || got.Turns[2].Text != "Repairs." {
		t.Errorf("turns %+v", got.Turns)
	}
}

// Wrong engines are told at the start, without their keys.
func TestEnginesAreCheckedAtTheStart(t *testing.T) {
	t.Parallel()
	for list, want := range map[string]string{
		`[{engine: opnai, key: sk-secret}]`:                                       "--llm: engine 1 of the list cannot be used: no LLM engine is called \"opnai\"",
		`[{engine: openai, key: sk-secret}]`:                                      "no model is configured",
		`[{engine: openai, key: sk-secret, model: m, url: "nowhere"}]`:            "no address of a server",
		`[{engine: openai, key: sk-secret, modell: m}]`:                           `unknown field "modell"`,
		`{engine: openai, key: sk-secret`:                                         "it is no list of engines",
		`[{key: sk-secret}]`:                                                      "engine 1 of the list does not say which it is",
		`[{engine: openai, key: $CALLWRIGHT_TEST_NO_SUCH_KEY, model: sk-secret}]`: "the variable CALLWRIGHT_TEST_NO_SUCH_KEY, which is not set",
	} {
		_, err := app.Open(t.Context(), app.Options{Config: &config.Config{
			Data: t.TempDir(), HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0", RTPPorts: "0-0", LLM: list}, Logger: slog.New(slog.DiscardHandler)})
		if domain.CodeOf(err) != domain.CodeInvalid || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "sk-secret") {
			t.Errorf("%s: %v, want %s", list, err, want)
		}
	}
	// Without a model a prompt-only agent cannot be called in live mode.
	h := open(t, setup{})
	var agent object
	h.post("/agents", map[string]any{"name": "Ava", "systemPrompt": "Be kind."}, &agent)
	trunk := h.trunkTo(siptest.UAS(t, siptest.Scenario{Name: siptest.Answer}).Addr, nil)
	from := h.number(trunk, agent.ID, 1)
	status, body := h.request(http.MethodPost, "/calls", map[string]any{"agentId": agent.ID, "phoneNumberId": from, "to": "+12025550123"})
	var problem struct{ Error struct{ Message string } }
	if err := json.Unmarshal(body, &problem); err != nil || status != http.StatusBadRequest {
		t.Errorf("%d: %s", status, body)
	}
}
