package speech

import (
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/callwright/callwright/internal/domain"
)

// sileroFiles holds silero_vad_v5.onnx when the build put it there.
//
//go:embed silero
var sileroFiles embed.FS

// openSilero reads the embedded network once; all calls share it.
var openSilero = sync.OnceValues(func() (*sileroNet, error) {
	raw, err := sileroFiles.ReadFile("silero/silero_vad_v5.onnx")
	if err != nil {
		return nil, domain.Invalid("vad", "this build has no Silero voice detector; build with npm present (make silero), or leave vad at spectral")
	}
	return readSilero(raw)
})

// Field numbers of onnx.proto (https://github.com/onnx/onnx, onnx/onnx.proto).
const (
	modelGraph    = 7 // ModelProto.graph
	graphNode     = 1 // GraphProto.node
	nodeOp        = 4 // NodeProto.op_type
	nodeAttribute = 5 // NodeProto.attribute
	attributeName = 1 // AttributeProto.name
	attributeT    = 5 // AttributeProto.t
	attributeG    = 6 // AttributeProto.g
	tensorName    = 8 // TensorProto.name
	tensorRaw     = 9 // TensorProto.raw_data
)

// errONNX says that a model cannot be read.
var errONNX = errors.New("speech: the model is no ONNX file of the Silero voice detector")

// tensors are the weights of a model by name.
type tensors map[string][]float32

// readSilero reads the half of the model that is for sound at 8 kHz: the model
// is one "If" on the rate, whose else branch it is.
func readSilero(model []byte) (*sileroNet, error) {
	found := tensors{}
	graph := field(model, modelGraph)
	err := eachField(graph, graphNode, func(node []byte) error {
		if string(field(node, nodeOp)) != "If" {
			return nil
		}
		return eachField(node, nodeAttribute, func(a []byte) error {
			if string(field(a, attributeName)) != "else_branch" {
				return nil
			}
			return found.read(field(a, attributeG))
		})
	})
	if err != nil {
		return nil, err
	}
	return newSileroNet(found)
}

// read takes the named constants of a graph.
func (t tensors) read(graph []byte) error {
	return eachField(graph, graphNode, func(node []byte) error {
		if string(field(node, nodeOp)) != "Constant" {
			return nil
		}
		tensor := field(field(node, nodeAttribute), attributeT)
		name, raw := string(field(tensor, tensorName)), field(tensor, tensorRaw)
		if name == "" || len(raw)%4 != 0 {
			return nil
		}
		values := make([]float32, len(raw)/4)
		for i := range values {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
		t[name] = values
		return nil
	})
}

// take returns a tensor, which must have n values.
func (t tensors) take(name string, n int) ([]float32, error) {
	if values := t[name]; len(values) == n {
		return values, nil
	}
	return nil, fmt.Errorf("%w: %q has %d values, not %d", errONNX, name, len(t[name]), n)
}

// field returns the last value of a length-delimited field, nil without one.
func field(message []byte, number protowire.Number) []byte {
	var out []byte
	_ = eachField(message, number, func(value []byte) error { // what cannot be read is not there
		out = value
		return nil
	})
	return out
}

// eachField calls fn with each value of a length-delimited field.
func eachField(message []byte, number protowire.Number, fn func([]byte) error) error {
	for len(message) > 0 {
		n, kind, size := protowire.ConsumeTag(message)
		if size < 0 {
			return fmt.Errorf("%w: %w", errONNX, protowire.ParseError(size))
		}
		message = message[size:]
		if n == number && kind == protowire.BytesType {
			value, size := protowire.ConsumeBytes(message)
			if size < 0 {
				return fmt.Errorf("%w: %w", errONNX, protowire.ParseError(size))
			}
			if err := fn(value); err != nil {
				return err
			}
		}
		if size = protowire.ConsumeFieldValue(n, kind, message); size < 0 {
			return fmt.Errorf("%w: %w", errONNX, protowire.ParseError(size))
		}
		message = message[size:]
	}
	return nil
}
