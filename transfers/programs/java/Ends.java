// SPDX-License-Identifier: MIT
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** What each of these programs begins with: the source, and the sink as a socket or a file. */
final class Ends {
  private Ends() {}

  static FileChannel source(String path) throws IOException {
    return FileChannel.open(Path.of(path), StandardOpenOption.READ);
  }

  /** A path of a socket or file, or HOST:PORT. */
  static WritableByteChannel sink(String text) throws IOException {
    final Path path = Path.of(text);
    if (!Files.exists(path)) {
      final int colon = text.lastIndexOf(':');
      return SocketChannel.open(
          new InetSocketAddress(
              text.substring(0, colon), Integer.parseInt(text.substring(colon + 1))));
    }
    if (Files.readAttributes(path, java.nio.file.attribute.BasicFileAttributes.class).isOther()) {
      return SocketChannel.open(UnixDomainSocketAddress.of(path));
    }
    return FileChannel.open(path, StandardOpenOption.WRITE);
  }
}
