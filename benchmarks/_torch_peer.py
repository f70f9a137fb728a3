"""The same network in PyTorch.

TensorFlow and PyTorch each include a copy of LLVM, and work in one process only if PyTorch's is
loaded first. So scripts import this module at the top, and TensorFlow only when it is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

try:
    import torch
except ImportError:
    torch = None
else:
    # The first step of an optimizer imports the compiler, and with it LLVM.
    _parameter = torch.zeros(1, requires_grad=True)
    _parameter.sum().backward()
    torch.optim.Adam([_parameter]).step()


class TorchNetwork:
    """PyTorch's ``nn.LSTM`` and ``nn.Linear`` with Keras's Adam.

    Parameters
    ----------
    weights : list of ndarray
        Kernel, recurrent kernel and bias of each LSTM layer, kernel and bias of the Dense layer,
        in Keras's layout; PyTorch has the same gate order, with transposed matrices. All layers
        are of the same size.
    """

    def __init__(self, weights: list[NDArray]) -> None:
        *layers, dense_kernel, dense_bias = map(torch.tensor, weights)
        kernel, recurrent = layers[:2]
        self.lstm = torch.nn.LSTM(
            len(kernel), len(recurrent), num_layers=len(layers) // 3, batch_first=True
        )
        self.dense = torch.nn.Linear(len(recurrent), 1)
        with torch.no_grad():
            for own, part in zip(self.lstm.parameters(), self._in_torch(layers), strict=True):
                own.copy_(part)
            self.dense.weight.copy_(dense_kernel.T)
            self.dense.bias.copy_(dense_bias)
        # Keras has a single bias for the gates, so the second one is not trained.
        for name, parameter in self.lstm.named_parameters():
            parameter.requires_grad_("bias_hh" not in name)
        learned = [*self.lstm.parameters(), *self.dense.parameters()]
        self.optimizer = torch.optim.Adam([p for p in learned if p.requires_grad], eps=1e-7)

    @staticmethod
    def _in_torch(layers: list[Any]) -> Iterator[Any]:
        for kernel, recurrent, bias in zip(*[iter(layers)] * 3, strict=True):
            yield from (kernel.T, recurrent.T, bias, torch.zeros_like(bias))

    def __call__(self, windows: Any) -> Any:
        """Return the output for each window, as a tensor."""
        states, _ = self.lstm(windows)
        return self.dense(states[:, -1])[:, 0]

    def fit(self, X: NDArray, y: NDArray, epochs: int, batch_size: int) -> float:
        """Train without shuffling the rows; return the loss of the last epoch."""
        windows, targets = torch.from_numpy(X), torch.from_numpy(y)
        for _ in range(epochs):
            total = torch.zeros(())
            for start in range(0, len(X), batch_size):
                part = slice(start, start + batch_size)
                self.optimizer.zero_grad()
                loss = torch.nn.functional.mse_loss(self(windows[part]), targets[part])
                loss.backward()
                self.optimizer.step()
                total += loss.detach() * len(targets[part])
        return total.item() / len(X)

    def predict(self, X: NDArray) -> NDArray:
        """Return the output for each window, as an array."""
        with torch.inference_mode():
            return self(torch.from_numpy(X)).numpy()
