package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/audio"
)

func TestDemoPrintsOneObject(t *testing.T) {
	t.Parallel()
	began := time.Now()
	out, log, exit := run(t, t.TempDir(), "demo", "--once", "--json", "--data", filepath.Join(t.TempDir(), "data"))
	if took := time.Since(began); exit != 0 || took > demoLimit {
		t.Fatalf("exit %d after %s: %s", exit, took, log)
	}
	r := demoOutput(t, out)
	if r.Status != "completed" || r.EndReason != "flow-ended" || r.DurationSeconds < 3 {
		t.Errorf("status %s, end reason %s, %d s", r.Status, r.EndReason, r.DurationSeconds)
	}
	if r.Turns < 6 || r.Turns != len(r.Transcript) {
		t.Errorf("%d turns, %d in the transcript", r.Turns, len(r.Transcript))
	}
	for i, turn := range r.Transcript {
		if turn.Role != "agent" && turn.Role != "caller" || turn.Text == "" || turn.EndMs <= turn.StartMs {
			t.Errorf("turn %d is %+v", i, turn)
		}
	}
	for _, word := range []string{"party = 2", "reminder = true", "day = ", r.EndReason} {
		if !strings.Contains(r.Summary, word) {
			t.Errorf("the summary lacks %q: %s", word, r.Summary)
		}
	}
	if r.CallID == "" || r.Sentiment == "" || r.Voice == "" || !strings.HasSuffix(r.API, "/api/v1") {
		t.Errorf("something is missing: %+v", r)
	}
	checkDemoWebhooks(t, r.Webhooks)
	pcm := stereo(t, r.Recording)
	if seconds := len(pcm) / 2 / 8000; seconds < r.DurationSeconds-1 || seconds > r.DurationSeconds+2 {
		t.Errorf("the recording has %d s, the call had %d s", seconds, r.DurationSeconds)
	}
	for side, name := range []string{"caller", "agent"} {
		if loudest(pcm, side) < 1000 {
			t.Errorf("the %s cannot be heard in the recording", name)
		}
	}
}

// demoOutput reads the one object that must stand alone on standard output,
// with the documented members and no others.
func demoOutput(t *testing.T, out string) demoResult {
	t.Helper()
	if lines := strings.Count(out, "\n"); lines != 1 {
		t.Errorf("standard output has %d lines:\n%s", lines, out)
	}
	var members map[string]json.RawMessage
	var turns []map[string]json.RawMessage
	var r demoResult
	for _, into := range []any{&members, &r} {
		if err := json.Unmarshal([]byte(out), into); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	if err := json.Unmarshal(members["transcript"], &turns); err != nil {
		t.Fatal(err)
	}
	exactly(t, "the result", members, "callId", "status", "endReason", "durationSeconds", "turns", "transcript", "recording",
		"summary", "sentiment", "voice", "webhooks", "api")
	for _, turn := range turns {
		exactly(t, "a turn", turn, "role", "text", "startMs", "endMs")
	}
	return r
}

func exactly(t *testing.T, what string, got map[string]json.RawMessage, want ...string) {
	t.Helper()
	var names []string
	for name := range got {
		names = append(names, name)
	}
	slices.Sort(names)
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Errorf("%s has %v, want %v", what, names, want)
	}
}

func checkDemoWebhooks(t *testing.T, got []demoWebhook) {
	t.Helper()
	for _, event := range demoEvents {
		if !slices.Contains(got, demoWebhook{Event: event, Verified: true}) {
			t.Errorf("%s did not arrive with a signature that verifies: %v", event, got)
		}
	}
	if len(got) != len(demoEvents) {
		t.Errorf("%d webhooks: %v", len(got), got)
	}
}

// stereo reads a recording: interleaved samples, the caller first.
func stereo(t *testing.T, path string) []int16 {
	t.Helper()
	if !filepath.IsAbs(path) {
		t.Fatalf("the recording %q has no absolute path", path)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	format, err := audio.ReadWAVHeader(file)
	if err != nil || format.Channels != 2 || format.Rate != 8000 {
		t.Fatalf("the recording is %+v, %v", format, err)
	}
	info, err := file.Stat()
	if err != nil || info.Size() != audio.WAVHeaderSize+format.DataBytes {
		t.Fatalf("the recording has %d bytes, its header tells of %d", info.Size(), format.DataBytes)
	}
	raw := make([]byte, format.DataBytes)
	if _, err := file.ReadAt(raw, audio.WAVHeaderSize); err != nil {
		t.Fatal(err)
	}
	pcm := make([]int16, len(raw)/2)
	for i := range pcm {
		pcm[i] = int16(raw[2*i]) | int16(raw[2*i+1])<<8
	}
	return pcm
}

func loudest(pcm []int16, side int) int {
	most := 0
	for i := side; i < len(pcm); i += 2 {
		most = max(most, int(pcm[i]), -int(pcm[i]))
	}
	return most
}
