"""Attribution rows in the embedded runner's form: per-example gradients of the LoRA factors, rotated into the eigenbases of EK-FAC
(arXiv 1806.03884, for influence arXiv 2308.03296), divided by its corrected eigenvalues, and stored as int8 with one scale for each row
of each tensor. The factors are written as the embedded runner reads them, so that it can give later answers their rows."""

import hashlib
import struct

import torch
from safetensors.torch import save

DAMPING = 0.1
MASK = (1 << 64) - 1
# The order in which the engine keeps the modules of a block, and which of them read the same activations.
MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
SOURCES = {"q_proj": 0, "k_proj": 0, "v_proj": 0, "o_proj": 1, "gate_proj": 2, "up_proj": 2, "down_proj": 3}


class Draw:
    """Repeatable random numbers (SplitMix64; Steele, Lea and Flood, 2014), the same as the embedded runner's."""

    def __init__(self, seed):
        self.state = seed & MASK

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def unit(self):
        """Uniform in 0 ..< 1, 24 bits."""
        return (self.next() >> 40) * 2.0 ** -24

    def below(self, bound):
        """Uniform in 0 ..< bound without bias (Lemire, 2019)."""
        wide = self.next() * bound
        if wide & MASK < bound:
            least = (1 << 64) % bound
            while wide & MASK < least:
                wide = self.next() * bound
        return wide >> 64


class Part:
    """The two factors of one linear layer, and what goes through them in a pass."""

    def __init__(self, layer, name, module):
        self.layer, self.name = layer, name
        self.a, self.b = module.lora_A["default"], module.lora_B["default"]
        self.inputs = self.low = self.output = None
        self.hooks = [self.a.register_forward_hook(self._first), self.b.register_forward_hook(self._second)]

    def _first(self, _, arguments, result):
        self.inputs, self.low = arguments[0].detach(), result

    def _second(self, _, arguments, result):
        self.output = result

    def gradients(self):
        """Of A (rank × inputs) and of B's transpose (rank × outputs)."""
        return self.a.weight.grad, self.b.weight.grad.t()

    def close(self):
        for hook in self.hooks:
            hook.remove()


class Tensor:
    """Curvature of one factor: eigenbases of its sides, and mean squares of the gradients in them."""

    def __init__(self, left, right):
        self.left, self.right = left, right
        self.eigenvalues = torch.zeros(left.shape[0], right.shape[0])

    def rotate(self, gradient):
        return self.left.t() @ gradient.float().cpu() @ self.right

    def precondition(self, rotated):
        divisor = self.eigenvalues + DAMPING * float(self.eigenvalues.double().mean())
        return torch.where(divisor > 0, rotated / divisor.clamp(min=1e-38), torch.zeros(()))


def sizes(learning, rows):
    """Bytes of the factors and of the attribution rows that a learning will have, known before it begins."""
    rank, count, factors, lengths = learning.settings["rank"], 0, 0, 0
    for block in _blocks(learning.model):
        sources = {}
        for path, module in block.named_modules():
            name = path.split(".")[-1]
            if name not in SOURCES or not hasattr(module, "lora_A"):
                continue
            inputs, outputs = module.in_features, module.out_features
            sources[SOURCES[name]] = inputs * inputs
            factors += outputs * outputs + 2 * rank * rank + rank * (inputs + outputs)
            count += rank * (inputs + outputs)
            lengths += 2 * rank
        factors += sum(sources.values())
    # At two points: a byte for each number of a row, a length and a scale for each row of a tensor.
    return 2 * 4 * (factors + count), (rows + 32) * 2 * (count + 8 * lengths)


class Influence:
    """Measures curvature at points of a training, and gives its rows."""

    def __init__(self, learning, check=lambda: None):
        # Called before every row: raises where the work may not go on.
        self.check = check
        self.learning, self.device = learning, learning.base.device
        self.parts = []
        for layer, block in enumerate(_blocks(learning.model)):
            modules = dict(block.named_modules())
            for name in MODULES:
                for path, module in modules.items():
                    if path.split(".")[-1] == name and hasattr(module, "lora_A"):
                        self.parts.append(Part(layer, name, module))
        self.points = []
        self.digest = None

    def close(self):
        for part in self.parts:
            part.close()

    def fit(self, points, rows):
        """Measures the factors at each point: a mapping of parameters by name."""
        for number, point in enumerate(points):
            self._take(point)
            flat = torch.cat([g.detach().float().cpu().reshape(-1) for p in self.parts for g in (p.a.weight, p.b.weight.t())])
            tensors = self._bases(number, rows)
            for at, row in enumerate(rows):
                for tensor, gradient in zip(tensors, self._pass(row, self._labels(number, at))):
                    tensor.eigenvalues += tensor.rotate(gradient) ** 2
            for tensor in tensors:
                tensor.eigenvalues /= len(rows)
            self.points.append((point, flat, tensors))
        text = f"damping {DAMPING}"
        for _, flat, tensors in self.points:
            text += _fingerprint(flat)
            for tensor in tensors:
                text += _fingerprint(tensor.left) + _fingerprint(tensor.right) + _fingerprint(tensor.eigenvalues)
        # Names the factors in the rows that are made with them.
        self.digest = hashlib.sha256(text.encode()).digest()

    def row(self, row):
        """A training row's bytes."""
        numbers = []
        for point, _, tensors in self.points:
            self._take(point)
            for tensor, gradient in zip(tensors, self._pass(row, None)):
                numbers.append(tensor.precondition(tensor.rotate(gradient)) / len(self.points))
        return self._bytes(numbers)

    # ---------------------------------------------------------------- one pass

    def _take(self, point):
        with torch.no_grad():
            for name, parameter in self.learning.parameters.items():
                parameter.copy_(point[name])

    def _labels(self, number, at):
        # The embedded runner draws the same ones: so it can tell factors of these rows from others.
        random = Draw(1 + number * 0xA24BAED4963EE407 + at * 0x9FB21C651E98DF25)

        def draw(logits, targets):
            """Labels drawn from the model's own distribution, where it is to predict."""
            odds = torch.cumsum(torch.softmax(logits.detach().double().cpu(), -1), -1)
            units = torch.tensor([[random.unit()] for _ in range(len(targets))], dtype=torch.float64)
            labels = torch.searchsorted(odds, units, right=True)[:, 0].clamp(max=odds.shape[1] - 1)
            return labels.to(targets.device)

        return draw

    def _pass(self, row, draw):
        """The gradients of the mean loss over a row's targets, factor by factor; the parts hold what went through them."""
        self.check()
        self.learning.model.zero_grad(set_to_none=False)
        tokens = torch.tensor([row.tokens], device=self.device)
        places = torch.arange(row.start, len(row.tokens), device=self.device)
        with torch.enable_grad():
            logits = self.learning.model(input_ids=tokens).logits[0, places - 1].float()
            for part in self.parts:
                part.low.retain_grad()
                part.output.retain_grad()
            targets = tokens[0, places]
            loss = torch.nn.functional.cross_entropy(logits, draw(logits, targets) if draw else targets)
            loss.backward()
        found = [gradient for part in self.parts for gradient in part.gradients()]
        if not all(bool(torch.isfinite(g).all()) for g in found):
            raise FloatingPointError(f"the gradient of a row of {row.item} is not finite")
        return found

    # ---------------------------------------------------------------- bases

    def _bases(self, number, rows):
        sums = [{} for _ in self.parts]
        shared = {}
        for at, row in enumerate(rows):
            self._pass(row, self._labels(number, at))
            seen = set()
            for part, sum_ in zip(self.parts, sums):
                source = (part.layer, SOURCES[part.name])
                if source not in seen:
                    seen.add(source)
                    _add(shared, source, part.inputs)
                _add(sum_, "low gradient", part.low.grad)
                _add(sum_, "low", part.low.detach())
                _add(sum_, "output gradient", part.output.grad)
        # A basis that several modules share is found and stored once.
        bases = {source: _eigenvectors(matrix) for source, matrix in shared.items()}
        tensors = []
        for part, sum_ in zip(self.parts, sums):
            inputs = bases[(part.layer, SOURCES[part.name])]
            tensors.append(Tensor(_eigenvectors(sum_["low gradient"]), inputs))
            tensors.append(Tensor(_eigenvectors(sum_["low"]), _eigenvectors(sum_["output gradient"])))
        return tensors

    # ---------------------------------------------------------------- stored forms

    def file(self):
        """The factors with their points, as the embedded runner reads them."""
        tensors, names, places = {}, {}, []

        def put(tensor):
            number = names.setdefault(id(tensor), len(names))
            tensors[f"basis.{number}"] = tensor.contiguous().reshape(-1)
            return number

        for index, (_, flat, curvatures) in enumerate(self.points):
            tensors[f"checkpoint.{index}"] = flat
            places += [f"{put(t.left)} {put(t.right)} {put(t.eigenvalues)}" for t in curvatures]
        settings = self.learning.settings
        return save(tensors, {
            "kind": "openledger.influence-factors.v1", "checkpoints": str(len(self.points)), "rank": str(settings["rank"]),
            "scale_bits": str(_bits(settings["alpha"] / settings["rank"])),
            "modules": " ".join(f"{part.layer}:{part.name}" for part in self.parts), "places": ",".join(places),
            "damping_bits": str(_bits(DAMPING)), "digest": self.digest.hex()})

    def _bytes(self, numbers):
        lengths, scales, values = [], [], []
        for tensor in numbers:
            top = tensor.abs().amax(1)
            inverse = torch.where(top > 0, 127 / top.clamp(min=1e-38), torch.zeros(()))
            lengths += [tensor.shape[1]] * tensor.shape[0]
            scales.append(top / 127)
            values.append((tensor * inverse[:, None]).round().clamp(-127, 127).to(torch.int8).reshape(-1))
        head = b"OLIR" + bytes([1, 1]) + self.digest + struct.pack(f"<{1 + len(lengths)}I", len(lengths), *lengths)
        return head + _raw(torch.cat(scales)) + _raw(torch.cat(values))


def _blocks(model):
    for module in model.modules():
        if isinstance(module, torch.nn.ModuleList):
            return module
    raise ValueError("the base model has no list of blocks")


def _add(sums, name, values):
    values = values.reshape(-1, values.shape[-1]).float()
    moment = (values.t() @ values).cpu()
    sums[name] = sums[name] + moment if name in sums else moment


def _eigenvectors(matrix):
    matrix = matrix.double()
    return torch.linalg.eigh((matrix + matrix.t()) / 2)[1].float().contiguous()


def _raw(tensor):
    """A tensor's bytes, little-endian."""
    return tensor.contiguous().numpy().tobytes()


def _fingerprint(tensor):
    return hashlib.sha256(_raw(tensor.float().reshape(-1))).hexdigest()


def _bits(number):
    return struct.unpack("<I", struct.pack("<f", number))[0]
