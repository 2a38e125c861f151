//go:build ignore

// Mkzones packs a directory of compiled time zones (zoneinfo as Debian's tzdata
// has it) into zones.zip: go run mkzones.go /usr/share/zoneinfo 2026-08-01
// The second word is the day on which that version was released.
package main

import (
	"archive/zip"
	"bytes"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: go run mkzones.go DIRECTORY RELEASED")
	}
	dir := os.DirFS(os.Args[1])
	zi, err := fs.ReadFile(dir, "tzdata.zi")
	if err != nil {
		log.Fatal(err)
	}
	first, _, _ := strings.Cut(string(zi), "\n")
	version := strings.TrimPrefix(first, "# version ")
	out, err := os.Create("zones.zip")
	if err != nil {
		log.Fatal(err)
	}
	pack := zip.NewWriter(out)
	err = fs.WalkDir(dir, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (path == "posix" || path == "right"):
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		raw, err := fs.ReadFile(dir, path)
		if err != nil || !bytes.HasPrefix(raw, []byte("TZif")) || path == "localtime" || path == "posixrules" {
			return err
		}
		w, err := pack.Create(filepath.ToSlash(path))
		if err == nil {
			_, err = w.Write(raw)
		}
		return err
	})
	if err == nil {
		err = pack.SetComment(version + " " + os.Args[2])
	}
	if err == nil {
		err = pack.Close()
	}
	if err == nil {
		err = out.Close()
	}
	if err != nil {
		log.Fatal(err)
	}
}
