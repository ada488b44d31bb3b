//! The sessions of the protocols, as the connection under them sees them.

use std::time::Duration;

use super::dialogue::Wire;

macro_rules! wire {
    ($($session:ty { is_open: $is_open:ident, finish: $finish:ident })*) => {$(
        impl Wire for $session {
            fn receive(&mut self, octets: &[u8], now: Duration) -> usize {
                self.receive(octets, now)
            }

            fn transport_closed(&mut self) {
                self.transport_closed();
            }

            fn output(&self) -> &[u8] {
                self.output()
            }

            fn consume_output(&mut self, written: usize) {
                self.consume_output(written);
            }

            fn output_is_full(&self) -> bool {
                self.output_is_full()
            }

            fn next_deadline(&self) -> Option<Duration> {
                self.next_deadline()
            }

            fn is_open(&self) -> bool {
                self.$is_open()
            }

            fn is_closed(&self) -> bool {
                self.is_closed()
            }

            fn unanswered(&self) -> usize {
                self.unanswered()
            }

            fn outstanding(&self) -> usize {
                self.outstanding()
            }

            fn window_room(&self) -> usize {
                self.window_room()
            }

            fn finish(&mut self, now: Duration) {
                self.$finish(now);
            }
        }
    )*};
}

wire! {
    smpp::Session { is_open: is_bound, finish: unbind }
    ucp::Session { is_open: is_open, finish: finish }
    cimd2::Session { is_open: is_logged_in, finish: logout }
}
