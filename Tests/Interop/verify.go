// Verifies a bundle with code that is not ours: the sumdb packages of golang.org/x/mod (Debian's golang-golang-x-mod-dev).
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go run verify.go FOLDER [VKEY...]
//
// Checked are the checkpoint's signatures, every entry by an inclusion proof made from the tiles, and that every kept
// checkpoint is consistent with the newest. Without a VKEY the folder's own keys count.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A cosigner verifies timestamped Ed25519 cosignatures (C2SP tlog-cosignature, type 4), which x/mod does not know.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }

func (c *cosigner) Verify(message, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(signature), message)
	return ed25519.Verify(c.key, []byte(signed), signature[8:])
}

func newCosigner(vkey string) (note.Verifier, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("malformed vkey " + vkey)
	}
	blob, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(blob) != 33 || blob[0] != 4 {
		return nil, errors.New("not a type 4 vkey: " + vkey)
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), blob...))
	if fmt.Sprintf("%x", sum[:4]) != parts[1] {
		return nil, errors.New("wrong key id in " + vkey)
	}
	return &cosigner{parts[0], binary.BigEndian.Uint32(sum[:4]), ed25519.PublicKey(blob[1:])}, nil
}

func newVerifier(vkey string) (note.Verifier, error) {
	if v, err := note.NewVerifier(vkey); err == nil {
		return v, nil
	}
	return newCosigner(vkey)
}

type folder struct{ path string }

func (f folder) Height() int                                { return 8 }
func (f folder) SaveTiles(tiles []tlog.Tile, data [][]byte) {}

// ReadTiles reads tile/8/L/N of x/mod from tile/L/N of tlog-tiles.
func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := os.ReadFile(filepath.Join(f.path, "tile", strings.TrimPrefix(tile.Path(), "tile/8/")))
		if err != nil && tile.W < 256 {
			tile.W = 256
			data, err = os.ReadFile(filepath.Join(f.path, "tile", strings.TrimPrefix(tile.Path(), "tile/8/")))
		}
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	for i, tile := range tiles {
		if len(all[i]) > tile.W*tlog.HashSize {
			all[i] = all[i][:tile.W*tlog.HashSize]
		}
	}
	return all, nil
}

func openCheckpoint(path string, verifiers note.Verifiers) (tlog.Tree, int, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return tlog.Tree{}, 0, err
	}
	opened, err := note.Open(data, verifiers)
	if err != nil {
		return tlog.Tree{}, 0, fmt.Errorf("%s: %w", path, err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 {
		return tlog.Tree{}, 0, errors.New(path + " is no checkpoint")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, 0, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, 0, errors.New(path + " has no root")
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree, len(opened.Sigs), nil
}

func run(path string, vkeys []string) error {
	if len(vkeys) == 0 {
		data, err := os.ReadFile(filepath.Join(path, "keys"))
		if err != nil {
			return err
		}
		vkeys = strings.Fields(string(data))
	}
	var list []note.Verifier
	for _, vkey := range vkeys {
		verifier, err := newVerifier(vkey)
		if err != nil {
			return err
		}
		list = append(list, verifier)
	}
	verifiers := note.VerifierList(list...)
	tree, signatures, err := openCheckpoint(filepath.Join(path, "checkpoint"), verifiers)
	if err != nil {
		return err
	}
	hashes := tlog.TileHashReader(tree, folder{path})
	for first := int64(0); first < tree.N; first += 256 {
		width := tree.N - first
		if width > 256 {
			width = 256
		}
		tile := tlog.Tile{H: 8, L: 0, N: first / 256, W: int(width)}
		place := strings.TrimPrefix(tile.Path(), "tile/8/0/")
		bundle, err := os.ReadFile(filepath.Join(path, "tile", "entries", place))
		if err != nil {
			return err
		}
		for position := first; position < first+width; position++ {
			if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
				return fmt.Errorf("position %d: the bundle is cut", position)
			}
			length := int(binary.BigEndian.Uint16(bundle))
			proof, err := tlog.ProveRecord(tree.N, position, hashes)
			if err != nil {
				return fmt.Errorf("position %d: %w", position, err)
			}
			if err := tlog.CheckRecord(proof, tree.N, tree.Hash, position, tlog.RecordHash(bundle[2:2+length])); err != nil {
				return fmt.Errorf("position %d: %w", position, err)
			}
			bundle = bundle[2+length:]
		}
		if len(bytes.TrimSpace(bundle)) != 0 || len(bundle) != 0 {
			return fmt.Errorf("bytes behind position %d", first+width-1)
		}
	}
	kept, _ := os.ReadDir(filepath.Join(path, "checkpoints"))
	for _, entry := range kept {
		old, _, err := openCheckpoint(filepath.Join(path, "checkpoints", entry.Name()), verifiers)
		if err != nil {
			return err
		}
		if old.N == 0 {
			continue
		}
		proof, err := tlog.ProveTree(tree.N, old.N, hashes)
		if err != nil {
			return fmt.Errorf("kept checkpoint %s: %w", entry.Name(), err)
		}
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash); err != nil {
			return fmt.Errorf("kept checkpoint %s: %w", entry.Name(), err)
		}
	}
	fmt.Printf("%d entries, %d kept checkpoints, %d signatures: verified\n", tree.N, len(kept), signatures)
	return nil
}

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 {
		log.Fatal("usage: verify FOLDER [VKEY...]")
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		log.Fatal(err)
	}
}
