import Crypto
import Testing

@testable import Engine

@Suite("Influence scores are those of the reference", .enabled(if: AttributionFixture.folder != nil))
struct ReferenceScoreTests {
    private let fixture: AttributionFixture
    private let training: [Float]
    private let queries: [Float]
    private let dimension: Int

    init() throws {
        let folder = try #require(AttributionFixture.folder)
        fixture = try AttributionFixture(folder)
        let train = try fixture.array("G_train"), query = try fixture.array("G_query")
        training = train.values
        queries = query.values
        dimension = train.shape[1]
    }

    @Test("DataInf, to 1e-5")
    func dataInf() throws {
        let tensors = fixture.tensors.map { $0.offset..<$0.offset + $0.size }
        let scores = try DataInf.scores(
            training: training, queries: queries, tensors: tensors, dimension: dimension, pool: ComputePool(threads: 1))
        let expected = try fixture.array("expected_datainf_lam0.1")
        #expect(relativeError(scores.map { Float($0) }, expected.values) < 1e-5)
    }

    @Test("EK-FAC with the reference's bases, to 1e-4; int8 rows to within their rounding")
    func ekfac() throws {
        let kernels = try #require(Kernels(.best)), scratch = FloatBuffer(Kernels.gemmScratch)
        let n = training.count / dimension, q = queries.count / dimension
        let rotatedTraining = FloatBuffer(training), rotatedQueries = FloatBuffer(queries)
        let temporary = FloatBuffer(4096), out = FloatBuffer(4096)
        var lengths: [Int] = []
        for tensor in fixture.tensors {
            let prefix = "ekfac_" + tensor.name.split(separator: ".").joined(separator: "_")
            let curvature = TensorCurvature(
                rows: tensor.rows, columns: tensor.cols, left: FloatBuffer(try fixture.array(prefix + "_Qg").values),
                right: FloatBuffer(try fixture.array(prefix + "_Qa").values),
                eigenvalues: FloatBuffer(try fixture.array(prefix + "_lam").values))
            lengths += [Int](repeating: tensor.cols, count: tensor.rows)
            for (buffer, count, isTraining) in [(rotatedTraining, n, true), (rotatedQueries, q, false)] {
                for row in 0..<count {
                    let place = buffer.base + row * dimension + tensor.offset
                    curvature.rotate(place, to: out.base, temporary: temporary.base, kernels: kernels, scratch: scratch.base)
                    if isTraining { curvature.precondition(out.base, damping: 0.1) }
                    for index in 0..<tensor.size { place[index] = out.base[index] }
                }
            }
        }
        let scores = FloatBuffer(q * n)
        kernels.gemm(
            transB: true, q, n, dimension, rotatedQueries.base, dimension, rotatedTraining.base, dimension, scores.base, n, scratch.base)
        let expected = try fixture.array("expected_ekfac_damp0.1").values
        #expect(relativeError(scores.values, expected) < 1e-4)

        let rows = (0..<n).map {
            InfluenceRow(rotatedTraining.base + $0 * dimension, lengths: lengths, role: .training, factors: .zero)
        }
        var rounded: [Float] = []
        for query in 0..<8 {
            let answer = InfluenceRow(rotatedQueries.base + query * dimension, lengths: lengths, role: .answer, factors: .zero)
            rounded += try rows.map { Float(try InfluenceRow.score(training: $0, answer: answer)) }
        }
        #expect(relativeError(rounded, Array(expected[..<(8 * n)])) < 0.02)
    }
}
