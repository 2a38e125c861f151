package speech

import (
	"errors"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// FuzzReadSilero has it refuse what is not the model, and nothing else happen.
func FuzzReadSilero(f *testing.F) {
	constant := func(name string, values int) []byte {
		tensor := protowire.AppendBytes(protowire.AppendTag(nil, tensorName, protowire.BytesType), []byte(name))
		tensor = protowire.AppendBytes(protowire.AppendTag(tensor, tensorRaw, protowire.BytesType), make([]byte, 4*values))
		value := protowire.AppendBytes(protowire.AppendTag(nil, attributeT, protowire.BytesType), tensor)
		node := protowire.AppendBytes(protowire.AppendTag(nil, nodeOp, protowire.BytesType), []byte("Constant"))
		node = protowire.AppendBytes(protowire.AppendTag(node, nodeAttribute, protowire.BytesType), value)
		return protowire.AppendBytes(protowire.AppendTag(nil, graphNode, protowire.BytesType), node)
	}
	branch := protowire.AppendBytes(protowire.AppendTag(nil, attributeName, protowire.BytesType), []byte("else_branch"))
	branch = protowire.AppendBytes(protowire.AppendTag(branch, attributeG, protowire.BytesType), constant("decoder.decoder.2.bias", 1))
	node := protowire.AppendBytes(protowire.AppendTag(nil, nodeOp, protowire.BytesType), []byte("If"))
	node = protowire.AppendBytes(protowire.AppendTag(node, nodeAttribute, protowire.BytesType), branch)
	graph := protowire.AppendBytes(protowire.AppendTag(nil, graphNode, protowire.BytesType), node)
	model := protowire.AppendBytes(protowire.AppendTag(nil, modelGraph, protowire.BytesType), graph)
	f.Add(model)
	f.Add(model[:len(model)-3])
	f.Add([]byte{})
	f.Add([]byte("<html>not found</html>"))
	f.Fuzz(func(t *testing.T, model []byte) {
		if net, err := readSilero(model); net != nil || !errors.Is(err, errONNX) {
			t.Errorf("%v, %v", net, err)
		}
	})
}
