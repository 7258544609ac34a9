"""How multi-layer perceptrons learn: epochs or a search, rates, stopping, scores."""

from __future__ import annotations

import warnings
from abc import ABC
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state

from vekt import optim
from vekt.models._lbfgs import lbfgs
from vekt.models._learnt import Learnt
from vekt.models._progress import Progress
from vekt.network._layers import Buffers

Array = NDArray[Any]

Solver = Literal["lbfgs", "sgd", "adam", "adamw", "rmsprop"]
Rates = Literal["constant", "invscaling", "adaptive"]

_LOWEST_RATE = 1e-6  # of "adaptive", as in scikit-learn


class Training(Learnt, ABC):
    """From checked samples to a network that has learnt them."""

    solver: Solver
    alpha: float
    batch_size: int | Literal["auto"]
    learning_rate: Rates
    learning_rate_init: float
    power_t: float
    max_iter: int
    shuffle: bool
    random_state: Any
    tol: float
    verbose: bool
    momentum: float
    nesterovs_momentum: bool
    early_stopping: bool
    validation_fraction: float
    beta_1: float
    beta_2: float
    epsilon: float
    n_iter_no_change: int
    max_fun: int

    n_iter_: int
    t_: int
    loss_: float
    interrupted_: bool
    loss_curve_: list[float]
    best_loss_: float | None
    validation_scores_: list[float] | None
    best_validation_score_: Any
    _optimizer: optim.Optimizer
    _waited: int
    _falls: int
    _best: list[Array] | None
    _what_weighs = "sample_weight"

    def _new_optimizer(self) -> optim.Optimizer:
        rate = self.learning_rate_init
        if self.solver in ("sgd", "lbfgs"):  # of which the latter takes no steps
            nesterov = self.nesterovs_momentum and self.momentum > 0
            return optim.SGD(rate, momentum=self.momentum, nesterov=nesterov)
        if self.solver == "rmsprop":
            return optim.RMSProp(rate, eps=self.epsilon)
        kind = optim.Adam if self.solver == "adam" else optim.AdamW
        return kind(rate, betas=(self.beta_1, self.beta_2), eps=self.epsilon)

    def _rate(self) -> float:
        """Return the learning rate of the next epoch."""
        rate = float(self.learning_rate_init)
        if self.solver != "sgd" or not self._optimizer.iterations:
            return rate
        if self.learning_rate == "invscaling":
            return float(rate / (self.t_ + 1) ** self.power_t)
        return float(rate / 5**self._falls)

    def _slow_down(self) -> None:
        """Let the rate fall; momentum keeps its step, which in scikit-learn has the rate in it."""
        before, rate = self._optimizer.rate, self._rate()
        if rate != before:
            self._optimizer.lr = rate
            for direction, _ in self._optimizer._state:
                if direction is not None:
                    direction *= before / rate

    @property
    def _holds_out(self) -> bool:
        return bool(self.early_stopping) and self.solver != "lbfgs"

    def _split(
        self, x: Array, y: Array, given: Array | None, weights: Array | None
    ) -> tuple[Array, Array, Array | None, Any]:
        """Return what is learnt from, and what is held out: its samples, targets and weights."""
        learnt, held = train_test_split(
            np.arange(len(x)),
            random_state=check_random_state(self.random_state),
            test_size=self.validation_fraction,
            stratify=self._strata(y),
        )
        if len(held) < 2:
            raise ValueError("validation_fraction: less than two samples would be held out")
        count = None if weights is None else weights[learnt]
        held_count = None if given is None else given[held][:, 0]
        if any(w is not None and not w.sum() > 0 for w in (count, held_count)):
            raise ValueError(
                f"{self._what_weighs}: no sample counts of those to learn from or of those held out"
            )
        return x[learnt], y[learnt], count, (x[held], y[held], held_count)

    def _strata(self, y: Array) -> Array | None:
        return None

    def _search(self, x: Any, targets: Array | None, weights: Array | None) -> None:
        """Find the minimum over all samples at once, of an array or of Dask's chunks."""
        network, m = self.network_, len(x)
        progress = Progress(self.verbose, self.max_iter)
        self.interrupted_, self.n_iter_ = False, 0
        whole = float(m) if weights is None else float(weights.sum())
        share: Any = 1 / m if weights is None else weights / weights.dtype.type(whole)
        buffers: Any = None
        if targets is not None:
            buffers = Buffers(network.units, m, network.dtype, targets)

        def cost() -> float:
            if targets is not None:
                return network._step(x, targets, buffers, share)
            value, found = x.gradients()
            for g, new in zip(network.grads, found, strict=True):
                g[...] = new
            return float(value)

        def note(loss: float) -> None:
            self.n_iter_ += 1
            self.loss_ = loss
            self.loss_curve_.append(loss)
            progress.show(self.n_iter_, loss)

        limits = {"maxiter": self.max_iter, "maxfun": self.max_fun, "gtol": self.tol}
        try:
            found = lbfgs(network, cost, self.alpha, whole, limits, note)
            self.loss_, self.n_iter_ = float(found.fun), int(found.nit)
            if not np.isfinite(self.loss_):
                raise ValueError("the loss is not finite: scale the features of X")
            self._improved(None)
            if found.status:
                warnings.warn(
                    f"solver 'lbfgs' ended before convergence: {found.message} (max_iter is "
                    f"{self.max_iter}, max_fun {self.max_fun}; scaled features need fewer)",
                    ConvergenceWarning,
                    stacklevel=3,
                )
        except KeyboardInterrupt:
            self._interrupted()
        finally:
            progress.end()

    def _train(self, x: Any, targets: Array | None, weights: Array | None, held: Any) -> None:
        progress = Progress(self.verbose, self.max_iter)
        self.interrupted_ = False
        try:
            for epoch in range(self.max_iter):
                self._epoch(x, targets, weights)
                self.n_iter_ = epoch + 1
                score = None if held is None else self._validate(held)
                progress.show(self.n_iter_, self.loss_, score)
                if not self._goes_on(score):
                    break
            else:
                warnings.warn(
                    f"maximum of {self.max_iter} iterations reached before convergence",
                    ConvergenceWarning,
                    stacklevel=3,
                )
        except KeyboardInterrupt:
            self._interrupted()
        finally:
            progress.end()
        if self._best is not None:
            for p, kept in zip(self.network_.params, self._best, strict=True):
                p[...] = kept

    def _epoch(self, x: Any, targets: Array | None, weights: Array | None) -> None:
        """Do one epoch over an array and its targets, or over samples in Dask's chunks."""
        m = len(x)
        size = min(200 if self.batch_size == "auto" else int(self.batch_size), m)
        how = self._optimizer, size, self.shuffle, self.alpha
        net = self.network_
        found = x.epoch(*how) if targets is None else net._epoch(x, targets, *how, weights)
        self.loss_ = sum(found)
        if not np.isfinite(self.loss_):
            raise ValueError("the loss is not finite any more: try a lower learning_rate_init")
        self.loss_curve_.append(self.loss_)
        self.t_ += m
        self._slow_down()

    def _interrupted(self) -> None:
        self.interrupted_ = True
        warnings.warn("training interrupted; what was learnt stays", stacklevel=4)

    def _validate(self, held: Any) -> float:
        score = self._score(*held)
        assert self.validation_scores_ is not None
        self.validation_scores_.append(score)
        return score

    def _score(self, x: Array, y: Array, weights: Array | None) -> float:
        return float(self.score(x, y, weights))

    def _goes_on(self, score: float | None) -> bool:
        """Tell whether to learn on after an epoch, at a lower rate if that is wanted."""
        self._waited = 0 if self._improved(score) else self._waited + 1
        if self._waited <= self.n_iter_no_change:
            return True
        slower = self.solver == "sgd" and self.learning_rate == "adaptive"
        if not slower or self._optimizer.rate <= _LOWEST_RATE:
            return False
        self._falls, self._waited = self._falls + 1, 0
        self._slow_down()
        return True

    def _improved(self, score: float | None) -> bool:
        """Tell whether an epoch gained by `tol`, and keep the best, by how little it may be."""
        if score is not None:
            improved = bool(score >= self.best_validation_score_ + self.tol)
            if score > self.best_validation_score_:
                self.best_validation_score_ = score
                self._best = [p.copy() for p in self.network_.params]
            return improved
        assert self.best_loss_ is not None
        improved = bool(self.loss_ <= self.best_loss_ - self.tol)
        self.best_loss_ = min(self.loss_, self.best_loss_)
        return improved
