package node_test

import (
	"context"
	"os"
	"testing"

	"github.com/daybreak-sec/daybreak/node"
	"runtime/debug"
)

func TestZZ(t *testing.T) {
	p := os.Getenv("ZZ")
	if p == "" {
		t.Skip()
	}
	debug.SetMemoryLimit(400 << 20)
	f, _ := os.Open(p)
	n := open(t, t.TempDir(), "import")
	im, err := n.NewImport(node.ImportOptions{Source: "m365"})
	if err != nil {
		t.Fatal(err)
	}
	if err := im.Read(context.Background(), "log.jsonl", f); err != nil {
		t.Fatal(err)
	}
	sum, err := im.Finish(context.Background())
	t.Log(sum, err)
	n.Close()
}
