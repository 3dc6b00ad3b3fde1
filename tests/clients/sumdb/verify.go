// Verifies a published log with the packages of Go's checksum database, which the formats come from: the note of its
// newest checkpoint, every entry, and that each checkpoint goes on from the one before. Prints what it found as JSON.
//
//	verify FOLDER VERIFIER-KEY
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// folder reads tiles of height 8 from files, as C2SP tlog-tiles names them.
type folder string

func (f folder) Height() int { return 8 }

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	read := make([][]byte, len(tiles))
	for i, tile := range tiles {
		bytes, err := os.ReadFile(filepath.Join(string(f), strings.Replace(tile.Path(), "tile/8/", "tile/", 1)))
		if err != nil {
			return nil, err
		}
		read[i] = bytes
	}
	return read, nil
}

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

// checkpoint is the tree that a signed note speaks of.
func checkpoint(text []byte, verifier note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("no checkpoint: %q", opened.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, fmt.Errorf("no root: %q", lines[2])
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree, nil
}

// entries are those of one bundle.
func entries(path string) ([][]byte, error) {
	bytes, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var all [][]byte
	for len(bytes) > 0 {
		if len(bytes) < 2 || len(bytes) < 2+int(binary.BigEndian.Uint16(bytes)) {
			return nil, fmt.Errorf("%s does not end with an entry", path)
		}
		length := int(binary.BigEndian.Uint16(bytes))
		all = append(all, bytes[2:2+length])
		bytes = bytes[2+length:]
	}
	return all, nil
}

func bundle(index, width int64) string {
	path := strings.TrimPrefix(tlog.Tile{H: 8, L: 0, N: index, W: int(width)}.Path(), "tile/8/0/")
	return filepath.Join("tile", "entries", path)
}

func run(root, key string) error {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return err
	}
	newest, err := os.ReadFile(filepath.Join(root, "checkpoint"))
	if err != nil {
		return err
	}
	tree, err := checkpoint(newest, verifier)
	if err != nil {
		return err
	}
	hashes := tlog.TileHashReader(tree, folder(root))
	checked := int64(0)
	for index := int64(0); index*256 < tree.N; index++ {
		width := tree.N - index*256
		if width > 256 {
			width = 256
		}
		all, err := entries(filepath.Join(root, bundle(index, width)))
		if err != nil {
			return err
		}
		if int64(len(all)) != width {
			return fmt.Errorf("bundle %d has %d entries", index, len(all))
		}
		for _, entry := range all {
			proof, err := tlog.ProveRecord(tree.N, checked, hashes)
			if err != nil {
				return err
			}
			if err := tlog.CheckRecord(proof, tree.N, tree.Hash, checked, tlog.RecordHash(entry)); err != nil {
				return fmt.Errorf("position %d: %v", checked+1, err)
			}
			checked++
		}
	}
	file, err := os.Open(filepath.Join(root, "checkpoints.jsonl"))
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	before, checkpoints := tlog.Tree{}, 0
	for lines.Scan() {
		var line struct{ Note string }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return err
		}
		next, err := checkpoint([]byte(line.Note), verifier)
		if err != nil {
			return err
		}
		if before.N > 0 {
			proof, err := tlog.ProveTree(next.N, before.N, hashes)
			if err != nil {
				return err
			}
			if err := tlog.CheckTree(proof, next.N, next.Hash, before.N, before.Hash); err != nil {
				return fmt.Errorf("checkpoint of %d: %v", next.N, err)
			}
		}
		before, checkpoints = next, checkpoints+1
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]int64{"entries": checked, "checkpoints": int64(checkpoints)})
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "verify FOLDER VERIFIER-KEY")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
