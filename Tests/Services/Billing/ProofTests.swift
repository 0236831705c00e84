import BillingDomain
import Crypto
import EVM
import Events
import TestSupport
import Testing

@Suite("Trees that others can check")
struct ProofTests {
    @Test("the tree of OpenZeppelin's published vector has its root, leaf places and proof")
    func vector() throws {
        let one = try #require(EVMAddress("0x" + String(repeating: "1", count: 40)))
        let two = try #require(EVMAddress("0x" + String(repeating: "2", count: 40)))
        let values = [
            WalletLeaf(address: one, cumulative: 5_000_000_000_000_000_000),
            WalletLeaf(address: two, cumulative: 2_500_000_000_000_000_000),
        ]
        let tree = try #require(StandardMerkleTree(values))
        #expect(tree.rootText == "0xd4dee0beab2d53f2cc83e567171bd2820e49898130a22622b10ead383e90bd77")
        #expect(tree.places == [1, 2])
        #expect(Hex.encode(tree.nodes[1]) == "eb02c421cfa48976e66dfb29120745909ea3a0f843456c263cf8f1253483e283")
        #expect(tree.proof(of: 0).map { Hex.encode($0) } == ["b92c48e9d7abe27fd8dfd6b5dfdbfb1c9a463f80c712b66f3a5180a090cccafc"])
    }

    @Test("every leaf of trees of many sizes proves itself, and no other amount does")
    func everyLeaf() throws {
        var random = Seed.generator()
        for count in [1, 2, 3, 4, 5, 7, 8, 9, 33, 100] {
            let values = try (0..<count).map { _ in
                let address = try #require(EVMAddress("0x" + Hex.encode(random.bytes(20))))
                return WalletLeaf(address: address, cumulative: UInt128(random.next()))
            }
            let tree = try #require(StandardMerkleTree(values))
            for (index, value) in values.enumerated() {
                let proof = tree.proof(of: index)
                #expect(StandardMerkleTree.verify(value, proof: proof, root: tree.root))
                let more = WalletLeaf(address: value.address, cumulative: value.cumulative + 1)
                #expect(!StandardMerkleTree.verify(more, proof: proof, root: tree.root))
            }
        }
        #expect(StandardMerkleTree([]) == nil)
    }

    @Test("addresses have one text, and mixed case must be the checksum of EIP-55")
    func addresses() throws {
        let known = "0x1a642f0E3c3aF545E7AcBD38b07251B3990914F1"
        #expect(try #require(EVMAddress(known)).checksummed == known)
        #expect(EVMAddress(known)?.description == known.lowercased())
        #expect(EVMAddress(known.replacing("0E3c", with: "0e3c")) == nil)
        #expect(EVMAddress("0x" + String(repeating: "0", count: 40)) == nil)
        #expect(EVMAddress("0x12") == nil)
        #expect(EVMAddress(String(known.dropFirst(2))) == nil)
    }

    @Test("every holder's balance is proven to be counted, and neither another balance nor another sum is")
    func liabilities() throws {
        var random = Seed.generator()
        for count in [0, 1, 2, 3, 5, 8, 13, 64, 65] {
            let all = try (0..<count).map { index in
                Liability(account: try #require(AccountID("contributor:c\(index)")), units: UInt128(random.next() >> 8) + 1)
            }
            let tree = try #require(LiabilityTree(all.shuffled(using: &random)))
            #expect(tree.root.sum == all.reduce(0) { $0 + $1.units })
            for liability in all {
                let proof = try #require(tree.proof(of: liability.account))
                #expect(LiabilityTree.verify(liability, proof: proof, root: tree.root))
                let less = Liability(account: liability.account, units: liability.units - 1)
                #expect(!LiabilityTree.verify(less, proof: proof, root: tree.root))
                let lighter = LiabilityTree.Node(hash: tree.root.hash, sum: tree.root.sum - 1)
                #expect(!LiabilityTree.verify(liability, proof: proof, root: lighter))
            }
            #expect(tree.proof(of: try #require(AccountID("contributor:nobody"))) == nil)
        }
        let one = try #require(AccountID("contributor:one"))
        #expect(LiabilityTree([Liability(account: one, units: 1), Liability(account: one, units: 1)]) == nil)
        #expect(
            LiabilityTree([Liability(account: one, units: .max), Liability(account: try #require(AccountID("contributor:two")), units: 1)])
                == nil)
    }
}
