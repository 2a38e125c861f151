package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/speech"
)

func init() { speech.RegisterSTT(OpenAI, openOpenAIEar) }

// openAIEar understands utterances over the transcription API
// (https://platform.openai.com/docs/api-reference/audio/createTranscription).
type openAIEar struct {
	service
	model  string
	prompt string
}

// openOpenAIEar puts voice detection before the API, which has no streams. The
// option silence is how long the caller's silence is that ends an utterance.
func openOpenAIEar(c speech.Config) (speech.STT, error) {
	e := &openAIEar{model: c.Model, prompt: c.Options["prompt"]}
	var err error
	if e.service, err = openService(OpenAI, openAIAddress, c); err != nil {
		return nil, err
	}
	if e.model == "" {
		e.model = "gpt-4o-mini-transcribe"
	}
	var o speech.SegmenterOptions
	if text, given := c.Options["silence"]; given {
		if o.Silence, err = time.ParseDuration(text); err != nil || o.Silence < 100*time.Millisecond || o.Silence > 3*time.Second {
			return nil, domain.Invalid("options.silence", "%s: the option silence is %q; write a time from 100ms to 3s", OpenAI, text)
		}
	}
	e.name = c.Label(OpenAI)
	return speech.NewSegmenter(e, o), nil
}

// Name is "openai", or as configured.
func (e *openAIEar) Name() string { return e.name }

// maxTranscript bounds the answer for one utterance, in bytes.
const maxTranscript = 64 << 10

// Transcribe sends one utterance as a WAV file.
func (e *openAIEar) Transcribe(ctx context.Context, pcm []int16, f speech.Format) (string, error) {
	ctx, waiting := e.wait(ctx)
	defer waiting.stop()
	body, kind, err := e.form(pcm, f)
	if err != nil {
		return "", e.fault(false, err)
	}
	header := map[string]string{}
	if e.key != "" {
		header["Authorization"] = "Bearer " + e.key
	}
	resp, err := e.post(ctx, "audio/transcriptions", kind, body, header)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxTranscript+1))
	if err != nil {
		return "", e.broken(ctx, err)
	}
	var answer struct {
		Text *string `json:"text"`
	}
	if len(raw) > maxTranscript || json.Unmarshal(raw, &answer) != nil || answer.Text == nil {
		return "", e.fault(true, fmt.Errorf("%s sent something that is no transcript", e.base.Host))
	}
	return strings.TrimSpace(*answer.Text), nil
}

// form is the body of a request.
func (e *openAIEar) form(pcm []int16, f speech.Format) (io.Reader, string, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	fields := [][2]string{{"model", e.model}, {"response_format", "json"}, {"prompt", e.prompt}}
	if language, _, _ := strings.Cut(f.Language, "-"); language != "" {
		fields = append(fields, [2]string{"language", strings.ToLower(language)}) // ISO 639-1
	}
	var err error
	for _, field := range fields {
		if field[1] != "" {
			err = errors.Join(err, form.WriteField(field[0], field[1]))
		}
	}
	file, fileErr := form.CreateFormFile("file", "utterance.wav")
	if err = errors.Join(err, fileErr); err != nil {
		return nil, "", err
	}
	sound := make([]byte, 2*len(pcm))
	audio.PutPCM(sound, pcm)
	head := audio.WAVHeader(f.SampleRate, 1, int64(len(sound)))
	_, headErr := file.Write(head[:])
	_, soundErr := file.Write(sound)
	if err = errors.Join(headErr, soundErr, form.Close()); err != nil {
		return nil, "", err
	}
	return &body, form.FormDataContentType(), nil
}
