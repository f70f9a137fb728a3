"""The same network in PyTorch.

TensorFlow and PyTorch each include a copy of LLVM, and work in one process only if PyTorch's is
loaded first. So scripts import this module at the top, and TensorFlow only when it is needed.
"""

from __future__ import annotations

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
        Kernel, recurrent kernel and bias of the LSTM, kernel and bias of the Dense layer, in
        Keras's layout; PyTorch has the same gate order, with transposed matrices.
    """

    def __init__(self, weights: list[NDArray]) -> None:
        kernel, recurrent, bias, dense_kernel, dense_bias = map(torch.tensor, weights)
        self.lstm = torch.nn.LSTM(len(kernel), len(recurrent), batch_first=True)
        self.dense = torch.nn.Linear(len(recurrent), 1)
        with torch.no_grad():
            self.lstm.weight_ih_l0.copy_(kernel.T)
            self.lstm.weight_hh_l0.copy_(recurrent.T)
            self.lstm.bias_ih_l0.copy_(bias)
            self.lstm.bias_hh_l0.zero_()
            self.dense.weight.copy_(dense_kernel.T)
            self.dense.bias.copy_(dense_bias)
        # Keras has a single bias for the gates, so the second one is not trained.
        self.lstm.bias_hh_l0.requires_grad_(False)
        learned = [*self.lstm.parameters(), *self.dense.parameters()]
        self.optimizer = torch.optim.Adam([p for p in learned if p.requires_grad], eps=1e-7)

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
