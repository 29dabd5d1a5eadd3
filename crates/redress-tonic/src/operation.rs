//! The name of a call in events and metrics, from its path, `/package.Service/Method`.

/// Returns the operation name of a call: its path without the leading slash, as in
/// `shop.v1.Orders/Get`.
///
/// That is `rpc.method` of OpenTelemetry's conventions. Services have few methods, so the name is
/// low-cardinality by nature. A path that is not a method's is used unchanged.
///
/// ```
/// assert_eq!(redress::integration::tonic::default_operation("/shop.v1.Orders/Get"), "shop.v1.Orders/Get");
/// ```
#[must_use]
pub fn default_operation(path: &str) -> &str {
    path.strip_prefix('/').unwrap_or(path)
}

/// Returns the service in a path: `shop.v1.Orders` of `/shop.v1.Orders/Get`.
///
/// `None` for a path that is not a method's. A prefix before the service, such as a proxy's, is not
/// part of it.
///
/// ```
/// use redress::integration::tonic::rpc_service_name;
///
/// assert_eq!(rpc_service_name("/shop.v1.Orders/Get"), Some("shop.v1.Orders"));
/// assert_eq!(rpc_service_name("/"), None);
/// ```
#[must_use]
pub fn rpc_service_name(path: &str) -> Option<&str> {
    parts(path).map(|(service, _)| service)
}

/// Returns the method in a path: `Get` of `/shop.v1.Orders/Get`.
///
/// `None` for a path that is not a method's.
///
/// ```
/// assert_eq!(redress::integration::tonic::rpc_method_name("/shop.v1.Orders/Get"), Some("Get"));
/// ```
#[must_use]
pub fn rpc_method_name(path: &str) -> Option<&str> {
    parts(path).map(|(_, method)| method)
}

fn parts(path: &str) -> Option<(&str, &str)> {
    let (before, method) = path.rsplit_once('/')?;
    let service = before.rsplit('/').next()?;
    (!service.is_empty() && !method.is_empty()).then_some((service, method))
}
