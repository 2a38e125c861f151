package provider_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/provider"
	"github.com/callwright/callwright/internal/provider/providertest"
	"github.com/callwright/callwright/internal/speech"
	"github.com/callwright/callwright/internal/speech/ttstest"
)

func TestServiceVoicesPassTheSuite(t *testing.T) {
	voice := &providertest.Voice{}
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/v1/text-to-speech/") {
			voice.ServeHTTP(w, r)
			return
		}
		serveElevenLabs(t, w, r)
	})) + "/v1"
	t.Run("openai", func(t *testing.T) { ttstest.Exercise(t, open(t, provider.OpenAI, speech.Config{URL: url})) })
	t.Run("elevenlabs", func(t *testing.T) {
		ttstest.Exercise(t, open(t, provider.ElevenLabs, speech.Config{URL: url, Key: "xi-1", Voice: "anna=21m00T"}))
	})
}

// serveElevenLabs hums at 16 kHz.
func serveElevenLabs(t *testing.T, w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Text     string
		ModelID  string                  `json:"model_id"`
		Settings struct{ Speed float64 } `json:"voice_settings"`
	}
	raw, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(raw, &asked)
	}
	if err != nil || r.URL.Path != "/v1/text-to-speech/21m00T/stream" || r.URL.RawQuery != "output_format=pcm_16000" ||
		r.Header.Get("Xi-Api-Key") != "xi-1" || asked.ModelID != "eleven_flash_v2_5" {
		t.Errorf("%v: %s %s", err, r.URL, raw)
	}
	pcm, err := audio.ResampleAll(samples(providertest.Hum(asked.Text, asked.Settings.Speed)), providertest.VoiceRate, 16000)
	if err != nil {
		t.Error(err)
	}
	_, _ = w.Write(bytesOf(pcm)) // a client may leave
}

func samples(raw []byte) []int16 {
	pcm := make([]int16, len(raw)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
	}
	return pcm
}

func bytesOf(pcm []int16) []byte {
	raw := make([]byte, 2*len(pcm))
	audio.PutPCM(raw, pcm)
	return raw
}

// wav is hum as a WAV file of some shape.
func wav(rate, channels int, size uint32, between string) []byte {
	pcm, err := audio.ResampleAll(samples(providertest.Hum("Good morning.", 1)), providertest.VoiceRate, rate)
	if err != nil {
		panic(err)
	}
	wide := make([]int16, 0, channels*len(pcm))
	for _, s := range pcm {
		for range channels {
			wide = append(wide, s)
		}
	}
	head := audio.WAVHeader(rate, channels, int64(2*len(wide)))
	if size != 0 {
		binary.LittleEndian.PutUint32(head[40:], size)
	}
	out := append([]byte(nil), head[:36]...)
	out = append(append(out, between...), head[36:]...)
	return append(out, bytesOf(wide)...)
}

// What servers send is heard, or is an error that says what to do.
func TestOpenAIVoiceAgainstAllKindsOfServers(t *testing.T) {
	hum := providertest.Hum("Good morning.", 1) // 16 letters' worth: 960 ms
	quiet := make([]byte, 2*24000)
	for name, c := range map[string]struct {
		server *providertest.Replay
		heard  time.Duration // ± 30 ms
		err    string
		retry  bool
	}{
		"raw":                      {server: &providertest.Replay{Type: "audio/pcm", Body: hum}, heard: 1160 * time.Millisecond},
		"raw without a type":       {server: &providertest.Replay{Type: "application/octet-stream", Body: hum}, heard: 1160 * time.Millisecond},
		"in odd pieces":            {server: &providertest.Replay{Type: "audio/pcm", Body: hum, Chunk: 333}, heard: 1160 * time.Millisecond},
		"byte by byte":             {server: &providertest.Replay{Type: "audio/pcm", Body: hum[:8000], Chunk: 1}, heard: 366 * time.Millisecond},
		"with a byte too many":     {server: &providertest.Replay{Type: "audio/pcm", Body: append(bytes.Clone(hum), 7)}, heard: 1160 * time.Millisecond},
		"with silence around it":   {server: &providertest.Replay{Type: "audio/pcm", Body: append(append(bytes.Clone(quiet), hum...), quiet...)}, heard: 1180 * time.Millisecond},
		"with silence in it":       {server: &providertest.Replay{Type: "audio/pcm", Body: append(append(bytes.Clone(hum), quiet...), hum...)}, heard: 3120 * time.Millisecond},
		"a WAV file":               {server: &providertest.Replay{Type: "audio/wav", Body: wav(24000, 1, 0, "")}, heard: 1160 * time.Millisecond},
		"a WAV file of 22.05 kHz":  {server: &providertest.Replay{Type: "audio/x-wav", Body: wav(22050, 1, 0, "")}, heard: 1160 * time.Millisecond},
		"a stereo WAV file":        {server: &providertest.Replay{Type: "audio/pcm", Body: wav(16000, 2, 0, ""), Chunk: 101}, heard: 1160 * time.Millisecond},
		"a WAV file being written": {server: &providertest.Replay{Body: wav(24000, 1, 0xffffffff, "")}, heard: 1160 * time.Millisecond},
		"a WAV file with a chunk":  {server: &providertest.Replay{Body: wav(24000, 1, 0, "LIST\x06\x00\x00\x00INFOxx")}, heard: 1160 * time.Millisecond},
		"a WAV file of 8 bits":     {server: &providertest.Replay{Body: []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data")}, err: "16-bit PCM", retry: true},
		"a cut WAV file":           {server: &providertest.Replay{Body: []byte("RIFF\x00\x00\x00\x00WAVEfm")}, err: "it ends within", retry: true},
		"a lie about WAV":          {server: &providertest.Replay{Type: "audio/wav", Body: hum}, err: "a WAV file without its header"},
		"MP3":                      {server: &providertest.Replay{Type: "audio/mpeg", Body: hum}, err: "sent MP3 where raw sound or WAV"},
		"a lie about MP3":          {server: &providertest.Replay{Type: "audio/pcm", Body: []byte("ID3\x04\x00\x00\x00\x00\x00\x00\xff\xfb")}, err: "sent MP3"},
		"Ogg":                      {server: &providertest.Replay{Type: "audio/pcm", Body: []byte("OggS\x00\x02\x00\x00\x00\x00\x00\x00")}, err: "sent Ogg"},
		"an error as success":      {server: &providertest.Replay{Type: "application/json", Body: []byte(`{"error":{"message":"no such voice"}}`)}, err: "sent text (no such voice)"},
		"a web page":               {server: &providertest.Replay{Type: "audio/pcm", Body: []byte("<!DOCTYPE html><title>Sign in</title>")}, err: "a web page"},
		"nothing":                  {server: &providertest.Replay{Type: "audio/pcm"}, err: "no sound in it", retry: true},
		"silence":                  {server: &providertest.Replay{Type: "audio/pcm", Body: quiet}, err: "no sound in it", retry: true},
		"a click":                  {server: &providertest.Replay{Type: "audio/pcm", Body: hum[:600]}, err: "no sound in it", retry: true},
		"no end":                   {server: &providertest.Replay{Type: "audio/pcm", Body: hum, Repeat: -1}, heard: 16500 * time.Millisecond, err: "goes on after 16.5s of sound", retry: true},
		"endless silence":          {server: &providertest.Replay{Type: "audio/pcm", Body: quiet, Repeat: -1}, err: "goes on after", retry: true},
		"a stall before":           {server: &providertest.Replay{Type: "audio/pcm", Before: time.Minute}, err: "no answer came within 300ms", retry: true},
		"a stall in the head":      {server: &providertest.Replay{Type: "audio/pcm", Body: hum[:5], Stall: true}, err: "no answer came within 300ms", retry: true},
		"a stall in the middle":    {server: &providertest.Replay{Type: "audio/pcm", Body: hum, Stall: true}, heard: 960 * time.Millisecond, err: "nothing more came for 300ms", retry: true},
		"a broken line":            {server: &providertest.Replay{Type: "audio/pcm", Body: hum, Break: true}, heard: 960 * time.Millisecond, err: "broke", retry: true},
		"a refused key":            {server: &providertest.Replay{Status: 401}, err: "it wants a key"},
		"a bad day":                {server: &providertest.Replay{Status: 502}, err: "the server is in trouble", retry: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			engine := open(t, provider.OpenAI, speech.Config{URL: serve(t, c.server), Options: impatient(c.err)})
			out := audio.NewBuffer(8000)
			err := engine.Speak(t.Context(), "", "Good morning.", out)
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) || speech.Retryable(err) != c.retry {
				t.Errorf("error %v (retryable: %v), want %q", err, speech.Retryable(err), c.err)
			}
			if d := out.Duration() - c.heard; d < -50*time.Millisecond || d > 50*time.Millisecond {
				t.Errorf("%s was heard, want %s", out.Duration(), c.heard)
			}
		})
	}
}

// The first sound is heard while the rest is still made.
func TestOpenAIVoiceStreams(t *testing.T) {
	server := &providertest.Replay{Type: "audio/pcm", Body: providertest.Hum("Good morning.", 1), Stall: true}
	engine := open(t, provider.OpenAI, speech.Config{URL: serve(t, server), Voice: "af_sky", Options: map[string]string{"voices": "af_bella"}})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &firstFrame{Buffer: audio.NewBuffer(8000), came: make(chan struct{})}
	done := make(chan error, 1)
	go func() { done <- engine.Speak(ctx, "af_bella", "Good morning.", out) }()
	select {
	case <-out.came:
	case <-time.After(5 * time.Second):
		t.Fatal("nothing is heard before the end")
	}
	cancel()
	if err := <-done; err == nil {
		t.Error("no error")
	}
	select {
	case <-server.Gone():
	case <-time.After(5 * time.Second):
		t.Error("the connection is still open")
	}
	if v := engine.Voices(); v[0].Name != "af_sky" || v[1].Name != "af_bella" || v[2].Name != "alloy" {
		t.Errorf("voices %v", v)
	}
}

type firstFrame struct {
	*audio.Buffer
	came chan struct{}
}

func (f *firstFrame) WriteFrame(pcm []int16) error {
	if len(f.PCM) == 0 {
		close(f.came)
	}
	return f.Buffer.WriteFrame(pcm)
}
