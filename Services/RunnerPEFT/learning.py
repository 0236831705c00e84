"""One LoRA fine-tuning with PEFT, by the settings of a job: the schedule, clipping and loss are the embedded runner's."""

import gc
import math
import random

import peft
import torch
import transformers
from safetensors.torch import load, save

import quantised

# What every checkpoint of this runner has; another kind of runner's has other files.
CHECKPOINT = "checkpoint.safetensors"


def engine():
    """Names what computes, for the record: other versions may give other numbers."""
    bits = quantised.version()
    return f"peft/{peft.__version__} transformers/{transformers.__version__} torch/{torch.__version__}" + (f" bitsandbytes/{bits}" if bits else "")


class Base:
    """A base model in memory, and what a job needs to know of it."""

    def __init__(self, folder, device):
        self.folder, self.device = folder, torch.device(device)
        self.type = torch.bfloat16 if self.device.type == "cuda" and torch.cuda.is_bf16_supported() else torch.float32
        self.model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).to(self.device).eval()
        self.context = self.model.config.max_position_embeddings
        self.parameters = sum(p.numel() for p in self.model.parameters())
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        self.template = None
        if tokenizer.chat_template:
            self.template = lambda messages: tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)

    def quantised(self, precision):
        """The base in fewer bits, to learn over. The plain one makes room for it meanwhile."""
        configuration = quantised.configuration(precision)
        self.model.to("cpu")
        try:
            model = transformers.AutoModelForCausalLM.from_pretrained(
                self.folder, quantization_config=configuration, device_map={"": self.device}, dtype=torch.float32).eval()
            # Asked for an answer on a CPU, a layer in four bits packs itself into a form through which no gradient goes any more. It has
            # nothing else that differs while it learns.
            for module in model.modules():
                if type(module).__name__ == "Linear4bit":
                    module.train()
            return model
        except BaseException:
            self.plain()
            raise

    def plain(self):
        """The base as it is, back in its place."""
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        return self.model.to(self.device)


class Learning:
    """A run that can be left at any step and gone on with elsewhere."""

    def __init__(self, base, settings, training, holdout):
        self.base, self.settings, self.training, self.holdout = base, settings, training, holdout
        # As the embedded runner has them where nothing is said.
        self.advanced = {"schedule": "cosine", "minimum_rate": 10, "weight_decay": 0, "clip": 1_000_000, **settings.get("advanced", {})}
        self.precision = settings.get("precision", "float32")
        torch.manual_seed(settings["seed"])
        try:
            self._take(base.model if self.precision == "float32" else base.quantised(self.precision))
        except BaseException:
            # Later jobs find the plain base where they look for it.
            if self.precision != "float32":
                base.plain()
            raise
        self.optimiser = torch.optim.AdamW(self.parameters.values(), lr=1, betas=(0.9, 0.999), eps=1e-8, weight_decay=self.advanced["weight_decay"] / 1e6)
        self.steps = math.ceil(len(training) * settings["epochs"] / settings["batch"])
        self.step, self.tokens, self.loss = 0, 0, 0.0
        self.evaluations = []
        # The parameters at half way: the second point at which influence is measured.
        self.half = None
        # With patience: the parameters at the evaluation with the least loss.
        self.best = None

    def _take(self, model):
        """Puts a fresh adapter on a model."""
        self.model = peft.get_peft_model(model, peft.LoraConfig(
            r=self.settings["rank"], lora_alpha=self.settings["alpha"], target_modules=self.settings["targets"], task_type="CAUSAL_LM"))
        self.parameters = {name: p for name, p in self.model.named_parameters() if p.requires_grad}

    def settle(self):
        """Puts the adapter on the plain base once it has learned: influence is measured there, as every other runner measures it."""
        if self.precision == "float32":
            return
        learned = {name: parameter.detach().float().cpu() for name, parameter in self.parameters.items()}
        # The optimiser's hold on the old parameters keeps the base in fewer bits in memory.
        self.model = self.parameters = self.optimiser = None
        self._take(self.base.plain())
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(learned[name])
        # What is claimed is what a looker measures: the loss over the plain base.
        self.evaluate()

    def close(self):
        """Gives the base model back as it was."""
        if self.model is not None:
            self.model.unload()
        self.model = self.parameters = self.optimiser = None
        self.base.plain()

    # ---------------------------------------------------------------- training

    def evaluate(self):
        """Measures the held-out rows, if there are any."""
        if not self.holdout:
            return None
        total, count = 0.0, 0
        with torch.no_grad():
            for at in range(0, len(self.holdout), 8):
                batch = self.holdout[at:at + 8]
                loss, targets = self._loss(batch)
                total, count = total + float(loss), count + targets
        loss = total / count
        if not math.isfinite(loss):
            raise FloatingPointError(f"the loss on the held-out rows is {loss} at step {self.step}")
        known = [entry["holdout_loss_micros"] for entry in self.evaluations]
        self.evaluations.append({"step": self.step, "holdout_loss_micros": round(loss * 1e6)})
        if self.advanced.get("patience") and (not known or round(loss * 1e6) < min(known)):
            self.best = self.point()
        return loss

    def is_over(self):
        """Whether all steps are done, or as many evaluations as the settings wait for were no better than one before."""
        losses, patience = [entry["holdout_loss_micros"] for entry in self.evaluations], self.advanced.get("patience")
        if patience and losses and len(losses) - 1 - losses.index(min(losses)) >= patience:
            return True
        return self.step >= self.steps

    def take_best(self):
        """Goes back to where the loss on the held-out rows was least, if that is asked for."""
        if self.best is None:
            return
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(self.best[name])

    def advance(self):
        """One optimiser step over its rows."""
        rows = self._rows(self.step)
        targets = sum(len(row.tokens) - row.start for row in rows)
        self.optimiser.zero_grad()
        total = 0.0
        # Rows go through in small batches, so that memory does not grow with the step.
        for at in range(0, len(rows), 8):
            loss, _ = self._loss(rows[at:at + 8])
            (loss / targets).backward()
            total += float(loss.detach())
        self.loss = total / targets
        if not math.isfinite(self.loss):
            raise FloatingPointError(f"the loss is {self.loss} at step {self.step + 1}")
        if self.advanced["clip"]:
            torch.nn.utils.clip_grad_norm_(self.parameters.values(), self.advanced["clip"] / 1e6)
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate(self.step)
        self.optimiser.step()
        self.step += 1
        if self.half is None and self.step * 2 >= self.steps:
            self.half = self.point()
        self.tokens += sum(len(row.tokens) for row in rows)

    def point(self):
        """The parameters as they are now."""
        return {name: parameter.detach().clone() for name, parameter in self.parameters.items()}

    def _loss(self, rows):
        """The sum of the rows' losses, and how many tokens count in it."""
        length = max(len(row.tokens) for row in rows)
        tokens = torch.zeros(len(rows), length, dtype=torch.long)
        mask = torch.zeros(len(rows), length, dtype=torch.long)
        labels = torch.full((len(rows), length), -100)
        for at, row in enumerate(rows):
            values = torch.tensor(row.tokens)
            tokens[at, :len(values)] = values
            mask[at, :len(values)] = 1
            labels[at, row.start:len(values)] = values[row.start:]
        tokens, mask, labels = (t.to(self.base.device) for t in (tokens, mask, labels))
        with torch.autocast(self.base.device.type, dtype=self.base.type, enabled=self.base.type != torch.float32):
            logits = self.model(input_ids=tokens, attention_mask=mask).logits
        flat = logits[:, :-1].float().reshape(-1, logits.shape[-1])
        loss = torch.nn.functional.cross_entropy(flat, labels[:, 1:].reshape(-1), ignore_index=-100, reduction="sum")
        return loss, int((labels != -100).sum())

    def _rows(self, step):
        """The rows of a step: every epoch in an order of its own, which the seed decides."""
        count, size = len(self.training), self.settings["batch"]
        chosen = []
        for number in range(step * size, min((step + 1) * size, count * self.settings["epochs"])):
            order = list(range(count))
            random.Random(f"{self.settings['seed']} {number // count}").shuffle(order)
            chosen.append(self.training[order[number % count]])
        return chosen

    def _rate(self, step):
        peak, warmup = self.settings["learning_rate"] / 1e6, self.settings["warmup"]
        if step < warmup:
            return peak * (step + 1) / warmup
        span = max(1, self.steps - warmup)
        done = min(step - warmup, span) / span
        if self.advanced["schedule"] == "constant":
            return peak
        if self.advanced["schedule"] == "linear":
            return peak * (1 - done)
        least = self.advanced["minimum_rate"] / 100
        return peak * (least + (1 - least) * (1 + math.cos(math.pi * done)) / 2)

    # ---------------------------------------------------------------- checkpoints and the result

    def checkpoint(self):
        """The run's whole state, in a form that can't carry code."""
        tensors = {}
        for name, parameter in self.parameters.items():
            state = self.optimiser.state.get(parameter, {})
            tensors["parameter." + name] = parameter.detach().cpu().contiguous()
            for moment in ("exp_avg", "exp_avg_sq"):
                if moment in state:
                    tensors[f"{moment}.{name}"] = state[moment].cpu().contiguous()
            if self.half is not None:
                tensors["half." + name] = self.half[name].cpu().contiguous()
            if self.best is not None:
                tensors["best." + name] = self.best[name].cpu().contiguous()
        numbers = [self.step, self.tokens, len(self.training), round(self.loss * 1e6)]
        tensors["numbers"] = torch.tensor(numbers, dtype=torch.int64)
        marks = [[e["step"], e["holdout_loss_micros"]] for e in self.evaluations]
        tensors["evaluations"] = torch.tensor(marks, dtype=torch.int64).reshape(-1, 2)
        return {CHECKPOINT: save(tensors)}

    def restore(self, files):
        """Goes on from a checkpoint.

        Returns whether it could: a checkpoint of another kind of runner, or over other rows, is no beginning for this run."""
        if CHECKPOINT not in files:
            return False
        tensors = load(files[CHECKPOINT])
        step, tokens, rows, loss = tensors["numbers"].tolist()
        wanted = {"parameter." + name: p.shape for name, p in self.parameters.items()}
        if rows != len(self.training) or step > self.steps or any(
                name not in tensors or tensors[name].shape != shape for name, shape in wanted.items()):
            return False
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(tensors["parameter." + name])
                if "exp_avg." + name in tensors:
                    self.optimiser.state[parameter] = {
                        "step": torch.tensor(float(step)), "exp_avg": tensors["exp_avg." + name].to(parameter),
                        "exp_avg_sq": tensors["exp_avg_sq." + name].to(parameter)}
        if all("half." + name in tensors for name in self.parameters):
            self.half = {name: tensors["half." + name].to(parameter) for name, parameter in self.parameters.items()}
        if all("best." + name in tensors for name in self.parameters):
            self.best = {name: tensors["best." + name].to(parameter) for name, parameter in self.parameters.items()}
        self.step, self.tokens, self.loss = step, tokens, loss / 1e6
        self.evaluations = [{"step": a, "holdout_loss_micros": b} for a, b in tensors["evaluations"].tolist()]
        return True

    def save(self, folder, base):
        """Writes the PEFT directory."""
        self.model.peft_config["default"].base_model_name_or_path = base
        self.model.save_pretrained(folder, save_embedding_layers=False)
